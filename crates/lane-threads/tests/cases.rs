//! The lanes' common test, on OS threads.

use std::sync::Arc;

use blocking_style::Runtime;
use blocking_style::raw::{self, Connections};
use lane_cases::{Asks, OddServer, run_all, run_up_to};
use lane_threads::runtime::{Pool, Threads};

#[test]
fn every_case_ends_as_it_must() {
    let server = OddServer::start();
    let pool = Pool::start(2).unwrap();
    for threads in [Threads::Inline, Threads::Pool(pool), Threads::PerTask] {
        let runtime: Arc<dyn Runtime> = Arc::new(threads);
        assert_eq!(run_all(&runtime, &server), Vec::<String>::new());
        let connections = Connections::new(&runtime, 1);
        let raw = run_up_to(Asks::Exchange, &server, |url| raw::fetch(&connections, url));
        assert_eq!(raw, Vec::<String>::new());
    }
}
