//! The lanes' common test, on may.

use std::sync::Arc;

use blocking_style::Runtime;
use lane_cases::{OddServer, run_all};
use lane_may::runtime::{May, block_on, configure};

#[test]
fn every_case_ends_as_it_must() {
    let server = OddServer::start();
    configure(2, 4);
    let wrong = block_on(move || {
        let runtime: Arc<dyn Runtime> = Arc::new(May);
        run_all(&runtime, &server)
    });
    assert_eq!(wrong.unwrap(), Vec::<String>::new());
}
