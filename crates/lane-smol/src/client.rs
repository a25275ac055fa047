//! What a task fetches with: the library or the bare exchange.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper_util::client::legacy;
use job::{FetchError, Fetched, Job, Request, Timeline};

use crate::fetch::{self, Agent};
use crate::raw::{self, Connections};
use crate::runtime::Executor;
use crate::socket::Connector;

/// An HTTP client with its connections, shared by all tasks of a job.
#[derive(Clone)]
pub enum Client {
    /// hyper-util, over smol's sockets.
    Library(Agent),
    /// One small HTTP/1.1 exchange over smol's sockets.
    Raw(Arc<Connections>),
    /// Either of them, in a job that is looked at.
    Observed(Arc<(Client, Timeline)>),
}

impl Client {
    /// The client that `job`, which begins now, asks for, whose connections are looked after on `executor`.
    pub fn new(executor: &Executor, job: &Job) -> Self {
        if let Some(timeline) = Timeline::of(job, Instant::now()) {
            let client = Client::over(executor, job, Some(&timeline));
            return Client::Observed(Arc::new((client, timeline)));
        }
        Client::over(executor, job, None)
    }

    fn over(executor: &Executor, job: &Job, timeline: Option<&Timeline>) -> Self {
        let idle = job.idle_connections();
        match job.client {
            job::Client::Library => Client::Library(agent(executor, idle, timeline)),
            job::Client::Raw => Client::Raw(Arc::new(Connections::new(idle, timeline))),
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
            Client::Observed(observed) => {
                let (client, timeline) = &**observed;
                let call = timeline.call(url);
                // A future that may hold itself has no size but in a box.
                let fetched = Box::pin(client.fetch(url)).await?;
                call.brought(&fetched);
                Ok(fetched)
            }
        }
    }

    /// When each request did what, in a job that is looked at.
    pub fn requests(&self) -> Option<Vec<Request>> {
        match self {
            Client::Observed(observed) => Some(observed.1.requests()),
            Client::Library(_) | Client::Raw(_) => None,
        }
    }
}

/// The same settings as the ureq lanes have: no time-outs, no delay for small segments, and the
/// same number of idle connections.
fn agent(executor: &Executor, idle_connections: usize, timeline: Option<&Timeline>) -> Agent {
    legacy::Client::builder(OnExecutor(Arc::clone(executor)))
        .pool_max_idle_per_host(idle_connections)
        .pool_idle_timeout(Duration::from_secs(3600))
        .build(Connector::new(timeline))
}

/// smol's executor, as hyper asks for one: each connection is looked after by a task.
#[derive(Debug, Clone)]
struct OnExecutor(Executor);

impl<F> hyper::rt::Executor<F> for OnExecutor
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future).detach();
    }
}
