//! A watchdog tells which task keeps the hub from turning, on stacks of either kind.

use std::sync::mpsc;
use std::time::Duration;

use lane_cases::run_stalls;
use lane_hub::hub::{self, Config, Stacks};
use watchdog::Watchdog;

/// The name of the only task that blocks.
const CULPRIT: &str = "the one that blocks";

fn run(stacks: Stacks, watchdog: &Watchdog, work: Box<dyn FnOnce() + Send>) {
    let done = watchdog.watch(|| {
        hub::run_on(stacks, Config::default(), || {
            // One that has nothing to do with it.
            let other = hub::spawn(|| hub::sleep(Duration::from_millis(1))).unwrap();
            hub::spawn_named(CULPRIT, work).unwrap().join().unwrap();
            other.join().unwrap();
        })
    });
    done.unwrap().unwrap();
}

#[test]
fn what_blocks_the_hub_is_told() {
    let wrong = run_stalls(CULPRIT, |watchdog, work| run(Stacks::Mapped, watchdog, work));
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_blocks_the_hub_is_told_on_a_slab() {
    let slab = Stacks::Slab { most: 3 };
    let wrong = run_stalls(CULPRIT, |watchdog, work| run(slab, watchdog, work));
    assert_eq!(wrong, Vec::<String>::new());
}

/// The overflow is handled on the stack on which the watchdog's signal is, too, and ends a task
/// that will never leave by itself.
#[test]
fn a_task_whose_stack_overflowed_is_not_in_any_more() {
    #[expect(unconditional_recursion, reason = "it is there to overflow")]
    fn recurse(depth: u64) -> u64 {
        let frame = std::hint::black_box([depth; 64]);
        recurse(depth + 1) + frame[depth as usize % 64]
    }
    for stacks in [Stacks::Mapped, Stacks::Slab { most: 4 }] {
        let wrong = run_stalls(CULPRIT, |watchdog, work| {
            let work = Box::new(move || {
                assert!(hub::spawn(|| recurse(0)).unwrap().join().is_err());
                work();
            });
            run(stacks, watchdog, work);
        });
        assert_eq!(wrong, Vec::<String>::new());
    }
}

/// Were a task that waits as it ought to taken for one that blocks, this would be told: between its
/// beginning and its end the watchdog looks as often as the other stall's report takes.
#[test]
fn a_task_that_waits_on_the_hub_is_not_told() {
    const WAITS: &str = "one that waits";
    let (sender, reports) = mpsc::channel();
    let watchdog = Watchdog::start(Duration::from_millis(20), move |report| {
        sender.send(report).unwrap();
    });
    let watchdog = watchdog.unwrap();
    let (told, reports) = watchdog
        .watch(|| {
            hub::run(Config::default(), || {
                hub::spawn_named(WAITS, hub::park).unwrap();
                hub::yield_now();
                // This very task, which waits for its own report.
                (hub::spawn(move || (reports.recv(), reports))).unwrap().join().unwrap()
            })
        })
        .unwrap()
        .unwrap();
    drop(watchdog);
    let names: Vec<_> =
        [told].into_iter().flatten().chain(reports).map(|it| it.to_string()).collect();
    assert!(names.len() >= 2 && names.iter().all(|name| !name.contains(WAITS)), "{names:?}");
}
