//! What the origin can be told on a command line.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;

/// How to serve, and what: the command line of `origin`, to be flattened into another's.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Address and port to listen on; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Which HTTP server answers
    #[arg(long, value_enum, default_value_t = Server::Hyper)]
    pub server: Server,
    /// Threads that serve [default: what the system offers this process]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZero<usize>>,
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
}

/// The HTTP servers that can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Server {
    /// hyper on single-threaded tokio loops.
    Hyper,
    /// may_minihttp on may's coroutines: a peer to compare with, with the limits that the module
    /// `minihttp_server` lists.
    #[value(name = "may_minihttp")]
    MayMinihttp,
}

impl Server {
    /// `hyper` or `may_minihttp`, as on the command line and in [`Stats`](crate::Stats).
    pub fn name(self) -> &'static str {
        match self {
            Server::Hyper => "hyper",
            Server::MayMinihttp => "may_minihttp",
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
}
