//! So many clients at the same moment, each with a connection of its own and one request.

use std::sync::Arc;
use std::time::Instant;

use job::Request;
use tokio::task::JoinSet;

use crate::connection::{Connection, Moments};
use crate::seen::Seen;
use crate::site::Site;

/// Starts all of them; they are through when the set is empty.
pub fn clients(site: &Arc<Site>, seen: &Arc<Seen>, clients: u64) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        tasks.spawn(client(site.clone(), seen.clone(), number));
    }
    tasks
}

async fn client(site: Arc<Site>, seen: Arc<Seen>, number: u64) {
    let begun = Instant::now();
    seen.opened();
    let came = match Connection::open(&site).await {
        Ok(mut connection) => {
            let connected = Instant::now();
            let came = connection.exchange(site.exchange(number)).await;
            if let Ok(moments) = &came {
                seen.request(request(&seen, begun, connected, moments));
            }
            came
        }
        Err(why) => Err(why),
    };
    seen.came(begun, &came.map(|moments| moments.last_byte));
}

fn request(seen: &Seen, begun: Instant, connected: Instant, moments: &Moments) -> Request {
    let last_byte_ns = seen.ns(moments.last_byte);
    Request {
        begun_ns: seen.ns(begun),
        connecting_ns: Some(seen.ns(begun)),
        connected_ns: Some(seen.ns(connected)),
        sent_ns: Some(seen.ns(moments.sent)),
        first_byte_ns: Some(seen.ns(moments.first_byte)),
        last_byte_ns,
        parsed_ns: last_byte_ns,
        thread: 0,
    }
}
