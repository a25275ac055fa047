//! The lanes' common test, on OS threads.

use std::sync::Arc;

use blocking_style::Runtime;
use blocking_style::raw::{self, Connections};
use lane_cases::{
    Asks, OddServer, check_try_join_next, run_all, run_open_loop, run_timeline, run_up_to,
};
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

#[test]
fn the_open_loop_is_kept() {
    for lane in [lane_threads::SEQUENTIAL, lane_threads::POOL, lane_threads::THREADS] {
        assert_eq!(run_open_loop(&lane), Vec::<String>::new(), "{}", lane.id);
    }
}

#[test]
fn every_request_is_told() {
    for lane in [lane_threads::SEQUENTIAL, lane_threads::POOL, lane_threads::THREADS] {
        assert_eq!(run_timeline(&lane), Vec::<String>::new(), "{}", lane.id);
    }
}

#[test]
fn what_has_ended_is_joined_without_waiting() {
    let pool = Threads::Pool(Pool::start(2).unwrap());
    for (threads, at_once) in [(Threads::Inline, true), (pool, false), (Threads::PerTask, false)] {
        let runtime: Arc<dyn Runtime> = Arc::new(threads);
        assert_eq!(check_try_join_next(&runtime, at_once), Ok(()));
    }
}
