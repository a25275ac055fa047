//! What the hub promises, and what stackful code must not do on it.

use std::cell::Cell;
use std::hint::black_box;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, TryLockError, mpsc};
use std::time::Duration;

use blocking_style::{Runtime, queue};
use lane_hub::hub::net::TcpStream;
use lane_hub::hub::{self, Config};
use lane_hub::runtime::Hub;

/// Runs `main` on a hub whose tasks have 64 KiB each.
fn on_hub<T: Send + 'static>(main: impl FnOnce() -> T + Send + 'static) -> T {
    let config = Config { stack_bytes: 64 * 1024, stacks_kept: 8 };
    hub::run(config, main).unwrap().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

#[expect(unconditional_recursion, reason = "it is there to overflow")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[depth as usize % 64]
}

#[test]
fn tasks_sleep_side_by_side_and_wake_in_order() {
    let order = on_hub(|| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks = [30, 10, 20].map(|milliseconds| {
            let order = Arc::clone(&order);
            hub::spawn(move || {
                hub::sleep(Duration::from_millis(milliseconds));
                order.lock().unwrap().push(milliseconds);
            })
        });
        tasks.into_iter().for_each(|task| task.unwrap().join().unwrap());
        Arc::into_inner(order).unwrap().into_inner().unwrap()
    });
    assert_eq!(order, [10, 20, 30]);
}

#[test]
fn a_timed_park_ends_when_it_is_woken_or_when_its_time_is_up() {
    on_hub(|| {
        // Nobody wakes it.
        hub::park_timeout(Duration::from_millis(1));
        let woken = Arc::new(AtomicBool::new(false));
        let (waker, wakes) = (hub::waker(), Arc::clone(&woken));
        let other = hub::spawn(move || {
            wakes.store(true, Ordering::Relaxed);
            waker.wake();
        });
        // The time would never be up.
        while !woken.load(Ordering::Relaxed) {
            hub::park_timeout(Duration::MAX);
        }
        other.unwrap().join().unwrap();
    });
}

#[test]
fn ten_thousand_tasks_are_alive_at_once_on_one_thread() {
    let most = on_hub(|| {
        let (alive, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..10_000)
            .map(|_| {
                let (alive, most) = (Arc::clone(&alive), Arc::clone(&most));
                hub::spawn(move || {
                    most.fetch_max(1 + alive.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
                    hub::yield_now();
                    alive.fetch_sub(1, Ordering::Relaxed);
                })
                .unwrap()
            })
            .collect();
        tasks.into_iter().for_each(|task| task.join().unwrap());
        most.load(Ordering::Relaxed)
    });
    assert_eq!(most, 10_000);
}

#[test]
fn a_panic_ends_its_task_with_its_payload() {
    let (failed, other) = on_hub(|| {
        let failing = hub::spawn(|| {
            hub::sleep(Duration::from_millis(1));
            panic!("task {} has had enough", black_box(3));
        });
        let other = hub::spawn(|| {
            hub::sleep(Duration::from_millis(5));
            7
        });
        (failing.unwrap().join().map(|()| 0), other.unwrap().join())
    });
    let payload = failed.unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "task 3 has had enough");
    assert_eq!(other.unwrap(), 7);
}

#[test]
fn an_overflow_ends_its_task_and_not_the_process() {
    let results = on_hub(|| {
        // Several, because a handler that had not been left properly would not run again.
        let results = [1, 2, 3].map(|_| {
            let other = hub::spawn(|| {
                hub::sleep(Duration::from_millis(1));
                7
            });
            let lost = hub::spawn(|| recurse(0)).unwrap().join();
            (lost, other.unwrap().join().unwrap())
        });
        results.map(|(lost, other)| (*lost.unwrap_err().downcast::<&str>().unwrap(), other))
    });
    assert_eq!(results, [("its stack overflowed", 7); 3]);
}

#[test]
fn a_main_that_overflows_is_an_error_like_any_other() {
    let result = hub::run(Config::default(), || recurse(0)).unwrap();
    assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "its stack overflowed");
}

#[test]
fn a_wake_up_from_another_thread_arrives() {
    let woken = on_hub(|| {
        let (sender, receiver) = mpsc::channel::<std::task::Waker>();
        let flag = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&flag);
        let thread = std::thread::spawn(move || {
            let waker = receiver.recv().unwrap();
            theirs.store(true, Ordering::Release);
            waker.wake();
        });
        sender.send(hub::waker()).unwrap();
        while !flag.load(Ordering::Acquire) {
            hub::park();
        }
        thread.join().unwrap();
        flag.load(Ordering::Acquire)
    });
    assert!(woken);
}

/// Else an item would be handed to a task that is gone, and whoever waits for it would wait for ever.
#[test]
fn a_task_that_is_unwound_in_line_leaves_it() {
    let runtime: Arc<dyn Runtime> = Arc::new(Hub);
    let (sender, receiver) = queue::<u32>(&runtime, 1);
    let waits = receiver.clone();
    on_hub(move || {
        hub::spawn(move || waits.recv()).unwrap();
        // It is in line after this, and unwound when the hub ends.
        hub::yield_now();
    });
    let received = on_hub(move || {
        sender.send(7).unwrap();
        receiver.recv_timeout(Duration::ZERO)
    });
    assert_eq!(received, Ok(7));
}

#[test]
fn offloaded_work_stops_nobody_else() {
    let (result, turns) = on_hub(|| {
        let (go, gate) = mpsc::channel::<()>();
        let offloaded = hub::spawn(move || hub::offload(move || gate.recv().map(|()| 42)));
        // The work cannot end before this task has run, so the hub goes on turning meanwhile.
        let turns = (0..10).map(|_| hub::yield_now()).count();
        go.send(()).unwrap();
        (offloaded.unwrap().join().unwrap().unwrap(), turns)
    });
    assert_eq!((result, turns), (Ok(42), 10));
}

#[test]
fn a_panic_in_offloaded_work_is_the_callers() {
    let result = on_hub(|| hub::spawn(|| hub::offload(|| panic!("no such file"))).unwrap().join());
    let payload = result.map(|_: std::io::Result<()>| ()).unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "no such file");
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn tasks_that_main_leaves_behind_are_unwound() {
    let dropped = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&dropped);
    on_hub(move || {
        let guard = SetOnDrop(theirs);
        hub::spawn(move || {
            let _guard = guard;
            hub::sleep(Duration::from_secs(3600));
        })
        .unwrap();
        hub::yield_now();
    });
    assert!(dropped.load(Ordering::Relaxed));
}

/// A destructor can wait for nothing, neither in an unwind nor when its hub ends; it is told so
/// and goes on.
struct JoinOnDrop(Option<hub::JoinHandle<()>>, Arc<AtomicUsize>);

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        let joined = self.0.take().unwrap().join();
        self.1.fetch_add(usize::from(joined.is_err()), Ordering::Relaxed);
    }
}

#[test]
fn a_join_in_a_destructor_neither_hangs_nor_aborts() {
    let refused = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&refused);
    on_hub(move || {
        let sleeper = || hub::spawn(|| hub::sleep(Duration::from_secs(3600))).unwrap();
        let in_unwind = JoinOnDrop(Some(sleeper()), Arc::clone(&theirs));
        let panicking = hub::spawn(move || {
            let _joins = in_unwind;
            panic!("on purpose");
        });
        assert!(panicking.unwrap().join().is_err());
        let at_the_end = JoinOnDrop(Some(sleeper()), theirs);
        hub::spawn(move || {
            let _joins = at_the_end;
            hub::sleep(Duration::from_secs(3600));
        })
        .unwrap();
        hub::yield_now();
    });
    assert_eq!(refused.load(Ordering::Relaxed), 2);
}

/// A task that catches its cancellation is not let off: what it waits for next unwinds, too.
#[test]
fn a_cancelled_task_waits_for_nothing_more() {
    let caught = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&caught);
    on_hub(move || {
        hub::spawn(move || {
            for _ in 0..3 {
                let hour = || hub::sleep(Duration::from_secs(3600));
                let unwound = std::panic::catch_unwind(hour);
                theirs.fetch_add(usize::from(unwound.is_err()), Ordering::Relaxed);
            }
        })
        .unwrap();
        hub::yield_now();
    });
    assert_eq!(caught.load(Ordering::Relaxed), 3);
}

struct SleepOnDrop;

impl Drop for SleepOnDrop {
    fn drop(&mut self) {
        hub::sleep(Duration::from_millis(2));
    }
}

/// `std` counts panics by OS thread: a task that suspended in the middle of its unwind would make
/// every other task believe that it panics too.
#[test]
fn no_task_is_suspended_in_the_middle_of_an_unwind() {
    let seen = on_hub(|| {
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

/// A `std` lock belongs to the OS thread, and all tasks of a hub share one: `lock` here would wait
/// for a task that can never run again.
#[test]
fn a_std_mutex_held_across_a_suspension_would_deadlock() {
    let would_block = on_hub(|| {
        let mutex = Arc::new(Mutex::new(()));
        let theirs = Arc::clone(&mutex);
        let holder = hub::spawn(move || {
            let _guard = theirs.lock().unwrap();
            hub::sleep(Duration::from_millis(5));
        });
        hub::yield_now();
        let would_block = matches!(mutex.try_lock(), Err(TryLockError::WouldBlock));
        holder.unwrap().join().unwrap();
        would_block
    });
    assert!(would_block);
}

/// `stdout` has a lock that its OS thread may take twice, so it keeps no two tasks apart.
#[test]
fn the_lock_of_stdout_is_held_by_two_tasks_at_once() {
    let both = on_hub(|| {
        let holders = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let tasks = [0, 1].map(|_| {
            let (holders, most) = (Arc::clone(&holders), Arc::clone(&most));
            hub::spawn(move || {
                let mut stdout = std::io::stdout().lock();
                most.fetch_max(1 + holders.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
                hub::yield_now();
                stdout.flush().unwrap();
                holders.fetch_sub(1, Ordering::Relaxed);
            })
        });
        tasks.into_iter().for_each(|task| task.unwrap().join().unwrap());
        most.load(Ordering::Relaxed)
    });
    assert_eq!(both, 2);
}

thread_local! {
    static MINE: Cell<u64> = const { Cell::new(0) };
}

/// What gevent calls a greenlet-local does not exist here: a thread-local is the hub's.
#[test]
fn a_thread_local_is_shared_by_all_tasks() {
    let seen = on_hub(|| {
        MINE.set(1);
        hub::spawn(|| MINE.set(2)).unwrap().join().unwrap();
        MINE.get()
    });
    assert_eq!(seen, 2);
}

#[test]
fn outside_a_hub_its_calls_are_the_threads() {
    assert!(!hub::in_task());
    hub::sleep(Duration::ZERO);
    hub::yield_now();
    assert_eq!(hub::offload(|| 5).unwrap(), 5);
}

#[test]
fn one_thread_listens_and_connects() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let echoed = hub::run(Config::default(), move || {
        let listener = hub::TcpListener::from_std(listener).unwrap();
        let accepting = hub::spawn(move || {
            for _ in 0..3 {
                let mut stream = listener.accept().unwrap();
                hub::spawn(move || {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    stream.write_all(&byte).unwrap();
                })
                .unwrap();
            }
        })
        .unwrap();
        // All three wait for each other's turn, on one OS thread.
        let mut clients: Vec<_> =
            (0..3).map(|_| TcpStream::connect(address, None).unwrap()).collect();
        accepting.join().unwrap();
        let echo = |(number, client): (u8, &mut TcpStream)| {
            let mut byte = [0];
            client.write_all(&[number]).unwrap();
            client.read_exact(&mut byte).unwrap();
            byte[0]
        };
        (0..).zip(&mut clients).map(echo).collect::<Vec<_>>()
    });
    assert_eq!(echoed.unwrap().unwrap(), [0, 1, 2]);
}
