//! What the lane on may promises, and what stackful code must not do on many threads.
//!
//! may is set up once for a process, so every test here shares these settings.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use blocking_style::{Runtime, Socket, Tasks};
use job::LaneError;
use lane_may::runtime::{May, block_on, configure};

fn on_may<T: Send + 'static>(main: impl FnOnce(&Arc<dyn Runtime>) -> T + Send + 'static) -> T {
    configure(2, 4);
    block_on(move || {
        let runtime: Arc<dyn Runtime> = Arc::new(May);
        main(&runtime)
    })
    .unwrap()
}

#[expect(unconditional_recursion, reason = "it is there to overflow")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[depth as usize % 64]
}

#[test]
fn its_defaults_are_overridden() {
    configure(2, 4);
    assert_eq!(may::config().get_workers(), 2);
    assert_eq!(may::config().get_stack_size() * size_of::<usize>(), lane_may::STACK_BYTES);
    assert_eq!(may::config().get_pool_capacity(), 4);
    assert!(!may::config().get_worker_pin());
}

#[test]
fn a_panic_ends_its_task_with_its_message() {
    let result = on_may(|runtime| {
        let mut tasks = Tasks::<()>::new(runtime);
        tasks.spawn(|| panic!("enough")).unwrap();
        tasks.join_next().unwrap()
    });
    assert!(matches!(result, Err(LaneError::Task(why)) if why == "enough"));
}

/// may abandons the stack and unwinds nothing; the task's end is seen all the same. But where the
/// overflow has written to the lowest words, may ends the process; which of the two it is depends
/// on the frames that meet the guard page, and so on the compiler. So this runs in a child.
#[test]
fn an_overflow_ends_its_task_or_by_mays_own_check_the_process() {
    const CHILD: &str = "LANE_MAY_OVERFLOWS";
    if std::env::var_os(CHILD).is_some() {
        return overflow();
    }
    let name = "an_overflow_ends_its_task_or_by_mays_own_check_the_process";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    let by_may = child.status.code() == Some(1) && said.contains("stack overflow detected");
    assert!(child.status.success() || by_may, "{:?}: {said}", child.status);
    assert!(said.contains("has overflowed its stack"), "{said}");
}

fn overflow() {
    let (lost, other) = on_may(|runtime| {
        let mut tasks = Tasks::new(runtime);
        tasks.spawn(|| recurse(0)).unwrap();
        let lost = tasks.join_next().unwrap();
        tasks.spawn(|| 7).unwrap();
        (lost, tasks.join_next().unwrap().unwrap())
    });
    assert!(matches!(lost, Err(LaneError::Task(why)) if why.contains("overflowed")));
    assert_eq!(other, 7);
}

/// Who sleeps on may goes on on the timer's thread: what a thread-local held before may be another
/// thread's after.
#[test]
fn a_suspended_task_may_go_on_on_another_thread() {
    let moved = on_may(|runtime| {
        let moved = Arc::new(AtomicUsize::new(0));
        let mut tasks = Tasks::new(runtime);
        for _ in 0..50 {
            let (runtime, moved) = (Arc::clone(runtime), Arc::clone(&moved));
            let work = move || {
                let before = std::thread::current().id();
                runtime.sleep(Duration::from_millis(1));
                if std::thread::current().id() != before {
                    moved.fetch_add(1, Ordering::Relaxed);
                }
            };
            tasks.spawn(work).unwrap();
        }
        while let Some(result) = tasks.join_next() {
            result.unwrap();
        }
        moved.load(Ordering::Relaxed)
    });
    assert!(moved > 0);
}

/// Waits in every way when it is dropped, and counts if it went on on another thread.
struct WaitOnDrop {
    runtime: Arc<dyn Runtime>,
    socket: Box<dyn Socket>,
    moved: Arc<AtomicUsize>,
}

impl Drop for WaitOnDrop {
    fn drop(&mut self) {
        let before = std::thread::current().id();
        self.socket.write_all(b"?").unwrap();
        self.socket.read_exact(&mut [0]).unwrap();
        self.runtime.sleep(Duration::from_millis(1));
        if std::thread::current().id() != before {
            self.moved.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Answers each byte a moment later, so that whoever asked has to wait.
fn slow_echo(tasks: usize) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(tasks) {
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                stream.read_exact(&mut [0]).unwrap();
                std::thread::sleep(Duration::from_millis(1));
                stream.write_all(b"!").unwrap();
            });
        }
    });
    address
}

#[test]
fn no_task_moves_in_the_middle_of_an_unwind() {
    const TASKS: usize = 50;
    let address = slow_echo(TASKS);
    let moved = on_may(move |runtime| {
        let moved = Arc::new(AtomicUsize::new(0));
        let mut tasks = Tasks::<()>::new(runtime);
        for _ in 0..TASKS {
            let (runtime, moved) = (Arc::clone(runtime), Arc::clone(&moved));
            let work = move || {
                let socket = runtime.connect(address, None).unwrap();
                let _waits = WaitOnDrop { runtime, socket, moved };
                panic!("on purpose");
            };
            tasks.spawn(work).unwrap();
        }
        while let Some(result) = tasks.join_next() {
            assert!(result.is_err());
        }
        moved.load(Ordering::Relaxed)
    });
    assert_eq!(moved, 0);
}

#[test]
fn a_name_is_looked_up() {
    let found = on_may(|runtime| runtime.resolve("localhost", 80));
    assert!(found.unwrap().iter().all(|address| address.ip().is_loopback()));
}

/// What the open loop does: a task that joins others, and so goes on on a worker, sleeps for as many
/// different times as there are documents.
#[test]
fn sleeps_of_many_durations_leave_the_heap_whole() {
    let slept = on_may(|runtime| {
        let mut tasks = Tasks::new(runtime);
        for number in 0..20_000 {
            tasks.spawn(move || vec![number; 8])?;
            tasks.join_next().expect("a task is in flight")?;
            runtime.sleep(Duration::from_nanos(1 + number));
        }
        Ok::<_, LaneError>(tasks.is_empty())
    });
    assert!(slept.unwrap());
}
