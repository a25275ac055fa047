//! What a task fetches with: the library or the bare exchange.

use std::sync::Arc;
use std::time::Instant;

use job::{FetchError, Fetched, Job, Request, Share, Timeline};
use ureq::Agent;

use crate::observed::Observed;
use crate::raw::{self, Connections};
use crate::{Runtime, fetch, plug};

/// An HTTP client with its connections, shared by all tasks of a job.
#[derive(Clone)]
pub enum Client {
    /// ureq, over the runtime's sockets.
    Library(Agent),
    /// One small HTTP/1.1 exchange over the runtime's sockets.
    Raw(Arc<Connections>),
    /// Either of them, in a job that is looked at.
    Observed(Arc<(Client, Timeline)>),
}

impl Client {
    /// The client that `job`, which begins now, asks for, over `runtime`'s sockets.
    pub fn new(runtime: &Arc<dyn Runtime>, job: &Job) -> Self {
        Client::since(Instant::now(), runtime, job)
    }

    /// The client that a share of a job asks for.
    pub fn of_share(runtime: &Arc<dyn Runtime>, share: &Share) -> Self {
        Client::since(share.start, runtime, &share.job)
    }

    fn since(start: Instant, runtime: &Arc<dyn Runtime>, job: &Job) -> Self {
        if let Some(timeline) = Timeline::of(job, start) {
            let runtime: Arc<dyn Runtime> = Arc::new(Observed::new(runtime, &timeline));
            return Client::Observed(Arc::new((Client::over(&runtime, job), timeline)));
        }
        Client::over(runtime, job)
    }

    fn over(runtime: &Arc<dyn Runtime>, job: &Job) -> Self {
        let idle = job.idle_connections();
        match job.client {
            job::Client::Library => Client::Library(plug::agent(runtime, plug::config(idle))),
            job::Client::Raw => Client::Raw(Arc::new(Connections::new(runtime, idle))),
        }
    }

    /// Fetches one document.
    ///
    /// # Errors
    ///
    /// The request failed, was answered with another status than success, or brought no document.
    pub fn fetch(&self, url: &str) -> Result<Fetched, FetchError> {
        match self {
            Client::Library(agent) => fetch(agent, url),
            Client::Raw(connections) => raw::fetch(connections, url),
            Client::Observed(observed) => {
                let (client, timeline) = &**observed;
                let call = timeline.call(url);
                let fetched = client.fetch(url)?;
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
