//! What a task fetches with: the library or the bare exchange.

use std::sync::Arc;

use job::{FetchError, Fetched, Job};
use ureq::Agent;

use crate::raw::{self, Connections};
use crate::{Runtime, fetch, plug};

/// An HTTP client with its connections, shared by all tasks of a job.
#[derive(Clone)]
pub enum Client {
    /// ureq, over the runtime's sockets.
    Library(Agent),
    /// One small HTTP/1.1 exchange over the runtime's sockets.
    Raw(Arc<Connections>),
}

impl Client {
    /// The client that `job` asks for, over `runtime`'s sockets.
    pub fn new(runtime: &Arc<dyn Runtime>, job: &Job) -> Self {
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
        }
    }
}
