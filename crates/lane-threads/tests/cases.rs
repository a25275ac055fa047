//! The lanes' common test, on OS threads.

use std::sync::Arc;

use blocking_style::Runtime;
use lane_cases::{OddServer, run_all};
use lane_threads::runtime::{Inline, Pool, Threads};

#[test]
fn every_case_ends_as_it_must() {
    let server = OddServer::start();
    let pool = Pool::start(2, lane_threads::STACK_BYTES).unwrap();
    let runtimes: [Arc<dyn Runtime>; 3] = [Arc::new(Threads), Arc::new(pool), Arc::new(Inline)];
    for runtime in runtimes {
        assert_eq!(run_all(&runtime, &server), Vec::<String>::new());
    }
}
