//! The lanes' common test, on the hub.

use std::sync::Arc;

use blocking_style::Runtime;
use lane_cases::{OddServer, run_all};
use lane_hub::hub::{self, Config};
use lane_hub::runtime::Hub;

#[test]
fn every_case_ends_as_it_must() {
    let server = OddServer::start();
    let wrong = hub::run(Config::default(), move || {
        let runtime: Arc<dyn Runtime> = Arc::new(Hub);
        run_all(&runtime, &server)
    });
    assert_eq!(wrong.unwrap().unwrap(), Vec::<String>::new());
}
