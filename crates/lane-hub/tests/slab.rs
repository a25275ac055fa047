//! What the hub promises holds on a slab, too.

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use blocking_style::Runtime;
use blocking_style::raw::{self, Connections};
use lane_cases::{Asks, OddServer, run_all, run_open_loop, run_timeline, run_up_to};
use lane_hub::hub::{self, Config, Stacks};
use lane_hub::runtime::Hub;

/// Enough for TLS in a debug build.
const STACK_BYTES: usize = lane_hub::STACK_BYTES;

#[test]
fn every_case_ends_as_it_must() {
    let server = OddServer::start();
    let wrong = on_slab(move || {
        let runtime: Arc<dyn Runtime> = Arc::new(Hub);
        let mut wrong = run_all(&runtime, &server);
        let connections = Connections::new(&runtime, 1);
        wrong.extend(run_up_to(Asks::Exchange, &server, |url| raw::fetch(&connections, url)));
        wrong
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_open_loop_is_kept() {
    assert_eq!(run_open_loop(&lane_hub::HUB_SLAB), Vec::<String>::new());
}

#[test]
fn every_request_is_told() {
    assert_eq!(run_timeline(&lane_hub::HUB_SLAB), Vec::<String>::new());
}

/// Runs `main` on a hub that has room for it and 9,999 more, and keeps 8 stacks of ended tasks.
fn on_slab<T: Send + 'static>(main: impl FnOnce() -> T + Send + 'static) -> T {
    let config = Config { stack_bytes: STACK_BYTES, stacks_kept: 8 };
    let done = hub::run_on(Stacks::Slab { most: 10_000 }, config, main).unwrap();
    done.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

#[expect(unconditional_recursion, reason = "it is there to overflow")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[depth as usize % 64]
}

fn why_lost(task: hub::JoinHandle<u64>) -> &'static str {
    *task.join().unwrap_err().downcast::<&str>().unwrap()
}

#[test]
fn an_overflow_ends_its_task_and_neither_its_neighbours_nor_the_process() {
    let results = on_slab(|| {
        // Several, because a handler that had not been left properly would not run again. The lost
        // task is between two others in the slab.
        [1, 2, 3].map(|_| {
            let sleeper = || {
                let held = black_box([7; 1000]);
                hub::sleep(Duration::from_millis(1));
                black_box(held).iter().sum::<u64>()
            };
            let below = hub::spawn(sleeper).unwrap();
            let lost = hub::spawn(|| recurse(0)).unwrap();
            let above = hub::spawn(sleeper).unwrap();
            (why_lost(lost), below.join().unwrap(), above.join().unwrap())
        })
    });
    assert_eq!(results, [("its stack overflowed", 7000, 7000); 3]);
}

#[test]
fn a_main_that_overflows_is_an_error_like_any_other() {
    let slab = Stacks::Slab { most: 1 };
    let result = hub::run_on(slab, Config::default(), || recurse(0)).unwrap();
    assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "its stack overflowed");
}

/// Both libraries handle the same signal.
#[test]
fn overflows_on_either_kind_of_stack_are_caught_in_one_process() {
    for slab in [true, false, true, false] {
        let stacks = if slab { Stacks::Slab { most: 2 } } else { Stacks::Mapped };
        let why =
            hub::run_on(stacks, Config::default(), || why_lost(hub::spawn(|| recurse(0)).unwrap()));
        assert_eq!(why.unwrap().unwrap(), "its stack overflowed");
    }
}

/// In a process of its own, which is this test's again.
#[test]
fn a_fault_elsewhere_still_ends_the_process() {
    const NAME: &str = "a_fault_elsewhere_still_ends_the_process";
    if std::env::var_os(NAME).is_some() {
        // SAFETY: no page is mapped there, so it faults, and that is what is tested.
        on_slab(|| unsafe { std::ptr::without_provenance::<u8>(8).read_volatile() });
        return;
    }
    let mut this = Command::new(std::env::current_exe().unwrap());
    let ended = this.args(["--exact", NAME]).env(NAME, "1").stderr(Stdio::null()).output();
    assert!(ended.unwrap().status.signal().is_some());
}

#[test]
fn a_stack_more_than_the_slab_has_is_an_error_and_one_returned_is_used_again() {
    let slab = Stacks::Slab { most: 2 };
    let config = Config { stack_bytes: STACK_BYTES, stacks_kept: 0 };
    let said = hub::run_on(slab, config, || {
        let second = hub::spawn(|| ()).unwrap();
        let third = hub::spawn(|| ()).map(|_| ()).unwrap_err().to_string();
        second.join().unwrap();
        (third, hub::spawn(|| 5).unwrap().join().unwrap())
    });
    let expected = ("all 2 stacks of the slab are taken".to_owned(), 5);
    assert_eq!(said.unwrap().unwrap(), expected);
}

#[test]
fn a_slab_beyond_what_can_be_addressed_is_an_error() {
    for most in [1 << 40, usize::MAX] {
        assert!(hub::run_on(Stacks::Slab { most }, Config::default(), || ()).is_err());
    }
}

#[test]
fn ten_thousand_stacks_are_guarded_and_take_few_mappings() {
    let mappings = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let more = on_slab(move || {
        let before = mappings();
        let tasks: Vec<_> = (1..10_000).map(|_| hub::spawn(hub::yield_now).unwrap()).collect();
        hub::yield_now();
        let more = mappings().saturating_sub(before);
        tasks.into_iter().for_each(|task| task.join().unwrap());
        more
    });
    // Other tests of this process run meanwhile, and map a few for themselves. A kernel before 6.13
    // has no other guard than a mapping.
    assert!(more < 1000 || !marks_guards(), "{more}");
}

fn marks_guards() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(13))
}

#[test]
fn a_panic_ends_its_task_with_its_payload() {
    let payload = on_slab(|| hub::spawn(|| panic!("enough")).unwrap().join());
    let payload: std::thread::Result<()> = payload;
    assert_eq!(*payload.unwrap_err().downcast::<&str>().unwrap(), "enough");
}

struct CountOnDrop(Arc<AtomicUsize>);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn tasks_that_main_leaves_behind_are_unwound_or_dropped() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&dropped);
    on_slab(move || {
        let sleeper = |guard: CountOnDrop| {
            move || {
                let _guard = guard;
                hub::sleep(Duration::from_secs(3600));
            }
        };
        hub::spawn(sleeper(CountOnDrop(Arc::clone(&theirs)))).unwrap();
        hub::yield_now();
        hub::spawn(sleeper(CountOnDrop(theirs))).unwrap();
    });
    assert_eq!(dropped.load(Ordering::Relaxed), 2);
}

struct SleepOnDrop;

impl Drop for SleepOnDrop {
    fn drop(&mut self) {
        hub::sleep(Duration::from_millis(2));
    }
}

#[test]
fn no_task_is_suspended_in_the_middle_of_an_unwind() {
    let seen = on_slab(|| {
        let panicking = hub::spawn(|| {
            let _sleeps = SleepOnDrop;
            panic!("on purpose");
        });
        let watching = hub::spawn(|| {
            (0..50).any(|_| {
                hub::yield_now();
                std::thread::panicking()
            })
        });
        assert!(panicking.unwrap().join().is_err());
        watching.unwrap().join().unwrap()
    });
    assert!(!seen);
}

#[test]
fn a_wake_up_from_another_thread_arrives() {
    let woken = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&woken);
    on_slab(move || {
        let (waker, flag) = (hub::waker(), Arc::clone(&theirs));
        let other = std::thread::spawn(move || {
            flag.store(true, Ordering::Release);
            waker.wake();
        });
        while !theirs.load(Ordering::Acquire) {
            hub::park();
        }
        other.join().unwrap();
    });
    assert!(woken.load(Ordering::Relaxed));
}
