//! What a task fetches with: the library or the bare exchange.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use job::{FetchError, Fetched, Job};

use crate::fetch::{self, Agent};
use crate::raw::{self, Connections};

/// An HTTP client with its connections, shared by all tasks of a job.
#[derive(Clone)]
pub enum Client {
    /// hyper-util, over tokio's sockets.
    Library(Agent),
    /// One small HTTP/1.1 exchange over tokio's sockets.
    Raw(Arc<Connections>),
}

impl Client {
    /// The client that `job` asks for.
    pub fn new(job: &Job) -> Self {
        let idle = job.idle_connections();
        match job.client {
            job::Client::Library => Client::Library(agent(idle)),
            job::Client::Raw => Client::Raw(Arc::new(Connections::new(idle))),
        }
    }

    /// Fetches one document.
    ///
    /// # Errors
    ///
    /// The request failed, was answered with another status than success, or brought no document.
    pub async fn fetch(&self, url: &str) -> Result<Fetched, FetchError> {
        match self {
            Client::Library(agent) => fetch::fetch(agent, url).await,
            Client::Raw(connections) => raw::fetch(connections, url).await,
        }
    }
}

/// The same settings as the ureq lanes have: no time-outs, no delay for small segments, and the
/// same number of idle connections.
fn agent(idle_connections: usize) -> Agent {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    legacy::Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(idle_connections)
        .pool_idle_timeout(Duration::from_secs(3600))
        .build(connector)
}
