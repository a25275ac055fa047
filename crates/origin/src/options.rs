//! What the origin can be told on a command line.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::{blocking, stackful, stackless};

/// How to serve, and what: the command line of `origin`, to be flattened into another's.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Address and port to listen on; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Which HTTP server answers
    #[arg(long, value_enum, default_value_t = Server::Hyper)]
    pub server: Server,
    /// Threads that serve, where that is not one or one a connection [default: what the system offers this process]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZero<usize>>,
    /// Seconds that a client may take over one request, or take nothing of an answer, with the servers
    /// of sync-looking code; hyper's and may_minihttp wait for ever
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    pub patience: NonZero<u32>,
    /// Seed of the generated documents
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub seed: u64,
    /// Sizes of generated document to prepare; a request without `bytes=` gets the first
    #[arg(long, value_name = "N,N…", value_delimiter = ',', default_value = "1500")]
    pub bytes: Vec<usize>,
    /// Serve the *.json documents of this folder, too, below /files
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    /// End when standard input does: give it a pipe whose other end the parent holds
    #[arg(long)]
    pub end_with_parent: bool,
}

impl Options {
    /// How many threads serve.
    pub fn thread_count(&self) -> NonZero<usize> {
        let offered = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.threads.unwrap_or_else(offered)
    }

    /// How long to wait for a client.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience.get().into())
    }
}

/// The HTTP servers that can answer: how each waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Server {
    /// The origin itself: hyper on single-threaded loops, to which one thread deals connections out in
    /// turn.
    Hyper,
    /// A fixed number of threads, each with one connection at a time, closed after one answer.
    #[value(name = "blocking/pool")]
    BlockingPool,
    /// A thread a connection.
    #[value(name = "blocking/threads")]
    BlockingThreads,
    /// A green thread a connection, all on one hub.
    #[value(name = "stackful/hub")]
    StackfulHub,
    /// The same on a hub a core, behind `SO_REUSEPORT`.
    #[value(name = "stackful/hub-per-core")]
    StackfulHubPerCore,
    /// may_minihttp on may's coroutines: a peer to compare with, with the limits that its module
    /// lists.
    #[value(name = "may_minihttp", alias = "stackful/may_minihttp")]
    MayMinihttp,
    /// hyper on tokio's multi-thread runtime.
    #[value(name = "stackless/hyper")]
    StacklessHyper,
    /// hyper on one loop.
    #[value(name = "stackless/hyper-local")]
    StacklessHyperLocal,
    /// hyper on a loop a core, behind `SO_REUSEPORT`.
    #[value(name = "stackless/hyper-per-core")]
    StacklessHyperPerCore,
}

impl Server {
    /// As on the command line and in [`Stats`](crate::Stats).
    pub fn name(self) -> &'static str {
        match self {
            Server::Hyper => "hyper",
            Server::BlockingPool => "blocking/pool",
            Server::BlockingThreads => "blocking/threads",
            Server::StackfulHub => "stackful/hub",
            Server::StackfulHubPerCore => "stackful/hub-per-core",
            Server::MayMinihttp => "may_minihttp",
            Server::StacklessHyper => "stackless/hyper",
            Server::StacklessHyperLocal => "stackless/hyper-local",
            Server::StacklessHyperPerCore => "stackless/hyper-per-core",
        }
    }

    /// What there is to know of it beside its name.
    pub(crate) fn limits(self) -> &'static str {
        match self {
            Server::Hyper => stackless::loops::LIMITS,
            Server::BlockingPool => blocking::pool::LIMITS,
            Server::BlockingThreads => blocking::threads::LIMITS,
            Server::StackfulHub | Server::StackfulHubPerCore => stackful::hub::LIMITS,
            Server::MayMinihttp => stackful::may_minihttp::LIMITS,
            Server::StacklessHyper => stackless::multi_thread::LIMITS,
            Server::StacklessHyperLocal | Server::StacklessHyperPerCore => stackless::local::LIMITS,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    fn parse(words: &[&str]) -> Options {
        Cli::try_parse_from([&["origin"], words].concat()).unwrap().options
    }

    #[test]
    fn nothing_need_be_said() {
        let options = parse(&[]);
        assert_eq!(options.listen.to_string(), "127.0.0.1:0");
        assert_eq!((options.server, options.seed, options.bytes), (Server::Hyper, 42, vec![1_500]));
        assert!(options.corpus.is_none() && !options.end_with_parent);
    }

    #[test]
    fn everything_can_be_said() {
        let options = parse(&[
            "--server=may_minihttp",
            "--threads=3",
            "--seed=7",
            "--bytes=1500,250000",
            "--end-with-parent",
        ]);
        assert_eq!(options.server.name(), "may_minihttp");
        assert_eq!(options.thread_count().get(), 3);
        assert_eq!((options.seed, options.bytes), (7, vec![1_500, 250_000]));
        assert!(options.end_with_parent);
    }
    #[test]
    fn every_server_is_named_as_it_is_asked_for() {
        for server in Server::value_variants() {
            assert_eq!(parse(&["--server", server.name()]).server, *server);
        }
        assert_eq!(parse(&["--server=stackful/may_minihttp"]).server, Server::MayMinihttp);
    }
}
