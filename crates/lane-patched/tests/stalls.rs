//! What stays blocking under the patch is told by a watchdog, whose signal disturbs nothing.

use std::thread;
use std::time::Duration;

use lane_cases::run_stalls;
use lane_hub::hub::{self, Config};

/// The name of the only task that blocks.
const CULPRIT: &str = "the one that blocks";

#[test]
fn what_stays_blocking_is_told() {
    let wrong = run_stalls(CULPRIT, |watchdog, work| {
        let done = watchdog.watch(|| {
            lane_patched::run(Config::default(), || {
                // What parks goes on afterwards as if nothing had been.
                let other = hub::spawn(|| thread::sleep(Duration::from_millis(1))).unwrap();
                hub::spawn_named(CULPRIT, work).unwrap().join().unwrap();
                other.join().unwrap();
            })
        });
        done.unwrap().unwrap();
    });
    assert_eq!(wrong, Vec::<String>::new());
}
