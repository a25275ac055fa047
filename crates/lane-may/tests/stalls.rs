//! A watchdog tells which task keeps one of may's threads, whichever that is.

use std::sync::Arc;
use std::time::Duration;

use blocking_style::watched::Watched;
use blocking_style::{Runtime, Tasks};
use lane_cases::run_stalls;
use lane_may::runtime::{May, block_on, configure};
use watchdog::Watchdog;

/// Does `work` as a task that sleeps first, and so goes on on the thread of may's timer, or does not,
/// and is on a worker.
fn run(sleeps: bool, watchdog: &Watchdog, work: Box<dyn FnOnce() + Send>) {
    configure(2, 4);
    let runtime: Arc<dyn Runtime> = Arc::new(May);
    let runtime: Arc<dyn Runtime> = Arc::new(Watched::new(&runtime, watchdog.handle()));
    let done = block_on(move || {
        let mut tasks = Tasks::new(&runtime);
        let theirs = Arc::clone(&runtime);
        let culprit = move || {
            if sleeps {
                theirs.sleep(Duration::from_millis(1));
            }
            work();
        };
        tasks.spawn(culprit).unwrap();
        tasks.join_next().unwrap()
    });
    done.unwrap().unwrap();
}

/// The name of a task that nobody named is the place of its code.
const CULPRIT: &str = "stalls::run::{{closure}}";

#[test]
fn what_blocks_a_worker_is_told() {
    let wrong = run_stalls(CULPRIT, |watchdog, work| run(false, watchdog, work));
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_blocks_the_timer_is_told() {
    let wrong = run_stalls(CULPRIT, |watchdog, work| run(true, watchdog, work));
    assert_eq!(wrong, Vec::<String>::new());
}
