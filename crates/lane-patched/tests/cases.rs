//! The lanes' common test, on patched green threads.

use std::sync::Arc;

use blocking_style::Runtime;
use blocking_style::raw::{self, Connections};
use lane_cases::{
    Asks, OddServer, check_try_join_next, run_all, run_open_loop, run_timeline, run_up_to,
};
use lane_hub::hub::Config;
use lane_patched::runtime::Patched;

#[test]
fn every_case_ends_as_it_must() {
    let server = OddServer::start();
    let wrong = lane_patched::run(Config::default(), move || {
        let runtime: Arc<dyn Runtime> = Arc::new(Patched);
        let mut wrong = run_all(&runtime, &server);
        let connections = Connections::new(&runtime, 1);
        wrong.extend(run_up_to(Asks::Exchange, &server, |url| raw::fetch(&connections, url)));
        wrong
    });
    assert_eq!(wrong.unwrap().unwrap(), Vec::<String>::new());
}

#[test]
fn the_open_loop_is_kept() {
    assert_eq!(run_open_loop(&lane_patched::PATCHED), Vec::<String>::new());
}

#[test]
fn every_request_is_told() {
    assert_eq!(run_timeline(&lane_patched::PATCHED), Vec::<String>::new());
}

#[test]
fn what_has_ended_is_joined_without_waiting() {
    let checked = lane_patched::run(Config::default(), || {
        let runtime: Arc<dyn Runtime> = Arc::new(Patched);
        check_try_join_next(&runtime, false)
    });
    assert_eq!(checked.unwrap().unwrap(), Ok(()));
}
