//! What the async server answers. `answer.rs` above is its sync-looking twin.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};

use super::connection::{Connection, Terms};
use crate::block::block;
use crate::burn::burn;
use crate::request::{Refusal, Route, Status, Wanted, route};

const X_DELAY_US: HeaderName = HeaderName::from_static("x-delay-us");
const CLOSE: HeaderValue = HeaderValue::from_static("close");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Answers one request.
pub async fn answer(
    connection: Arc<Connection>,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let site = &connection.terms.site;
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let routed = route(request.method().as_str(), target);
    // The response takes the request's map over, and hyper the response's for the next request:
    // a connection that is kept alive allocates none.
    let mut headers = std::mem::take(request.headers_mut());
    headers.clear();
    drop(request);
    Ok(match routed {
        Ok(Route::Document(wanted)) => match site.corpora.find(&wanted) {
            Ok(body) => document(&connection, &wanted, body, headers).await,
            Err(refusal) => refuse(refusal),
        },
        Ok(Route::Stats) => response(StatusCode::OK, JSON, site.stats().into()),
        Ok(Route::StatsReset) => {
            site.counters.reset();
            response(StatusCode::OK, TEXT, Bytes::from_static(b"counting from zero\n"))
        }
        Ok(Route::Help) => response(StatusCode::OK, TEXT, site.help().into()),
        Err(refusal) => refuse(refusal),
    })
}

/// Serves a document, as late as is wanted. The delay is over before anything is blocked or
/// burnt, so what is told and counted of it is the wait alone.
async fn document(
    connection: &Connection,
    wanted: &Wanted,
    body: &'static str,
    mut headers: HeaderMap,
) -> Response<Full<Bytes>> {
    let Terms { site, timer, .. } = &*connection.terms;
    let share = site.counters.share(connection.index);
    if !connection.is_counted.swap(true, Relaxed) {
        share.count_connection();
    }
    let flight = site.counters.take_off();
    let mut delay = Duration::ZERO;
    let mut x_delay_us = HeaderValue::from_static("0");
    if !wanted.delay.is_zero() {
        delay = timer.sleep(wanted.delay).await;
        x_delay_us = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX).into();
    }
    // A call that blocks has no place in async code, and here it is the experiment: what it does to all
    // others on this thread when a handler makes one nevertheless.
    block(wanted.block);
    burn(wanted.burn);
    share.count_served(&flight, body.len(), wanted.delay, delay);
    drop(flight);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(X_DELAY_US, x_delay_us);
    if wanted.close {
        headers.insert(CONNECTION, CLOSE);
    }
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.headers_mut() = headers;
    response
}

fn refuse(refusal: Refusal) -> Response<Full<Bytes>> {
    let (status, allow) = match refusal.status {
        Status::BadRequest => (StatusCode::BAD_REQUEST, None),
        Status::NotFound => (StatusCode::NOT_FOUND, None),
        Status::MethodNotAllowed { allow } => (StatusCode::METHOD_NOT_ALLOWED, Some(allow)),
    };
    let mut response = response(status, TEXT, format!("{}\n", refusal.why).into());
    if let Some(allow) = allow {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    }
    response
}

fn response(status: StatusCode, kind: HeaderValue, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
