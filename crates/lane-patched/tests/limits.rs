//! What the patch does not reach: each of these stops the whole hub, or would.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, TryLockError, mpsc};
use std::thread;
use std::time::Duration;

use lane_hub::hub::{self, Config};

fn green<T: Send + 'static>(main: impl FnOnce() -> T + Send + 'static) -> T {
    let done = lane_patched::run(Config::default(), main).expect("a hub starts");
    done.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

/// A task that counts its turns for as long as the hub turns.
fn turns() -> Arc<AtomicUsize> {
    let turns = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&turns);
    let counting = move || {
        loop {
            theirs.fetch_add(1, Ordering::SeqCst);
            hub::yield_now();
        }
    };
    hub::spawn(counting).unwrap();
    turns
}

/// `std`'s locks wait by `futex`, which they call without the C library. Held by another OS thread,
/// such a lock stops every green thread until it is free.
#[test]
fn a_lock_that_an_os_thread_holds_stops_the_hub() {
    let (before, after, at_last) = green(|| {
        let turns = turns();
        hub::yield_now();
        let mutex = Arc::new(Mutex::new(()));
        let (theirs, counted) = (Arc::clone(&mutex), Arc::clone(&turns));
        let (locked, is_locked) = mpsc::channel();
        let (go, gone) = mpsc::channel();
        let holder = thread::spawn(move || {
            let _guard = theirs.lock().unwrap();
            locked.send(()).unwrap();
            gone.recv().unwrap();
            let before = counted.load(Ordering::SeqCst);
            (0..1_000).for_each(|_| thread::yield_now());
            (before, counted.load(Ordering::SeqCst))
        });
        is_locked.recv().unwrap();
        go.send(()).unwrap();
        drop(mutex.lock().unwrap());
        let (before, after) = holder.join().unwrap();
        hub::yield_now();
        hub::yield_now();
        (before, after, turns.load(Ordering::SeqCst))
    });
    assert!(before > 0 && before == after && at_last > after);
}

/// Held by a green thread that waits, it would never be free: who holds it needs the thread that
/// waits for it. `lock` in place of `try_lock` here would hang.
#[test]
fn a_lock_that_is_held_across_a_call_that_parks_would_deadlock() {
    let would_block = green(|| {
        let mutex = Arc::new(Mutex::new(()));
        let theirs = Arc::clone(&mutex);
        let holder = hub::spawn(move || {
            let _guard = theirs.lock().unwrap();
            // Nothing here says that another task may run now.
            plain_blocking::nap(Duration::from_millis(5));
        });
        hub::yield_now();
        let would_block = matches!(mutex.try_lock(), Err(TryLockError::WouldBlock));
        holder.unwrap().join().unwrap();
        would_block
    });
    assert!(would_block);
}

thread_local! {
    static MINE: Cell<u64> = const { Cell::new(0) };
}

/// What plain code takes for its own, because it waits for nothing but a `sleep`, is everybody's.
#[test]
fn a_thread_local_changes_across_a_sleep() {
    let seen = green(|| {
        MINE.set(1);
        hub::spawn(|| MINE.set(2)).unwrap();
        plain_blocking::nap(Duration::from_millis(1));
        MINE.get()
    });
    assert_eq!(seen, 2);
}

/// Only the threads that [`lane_patched::run`] was called on are patched: a hub beside them is not.
#[test]
fn another_hub_is_not_patched() {
    let ran = hub::run(Config::default(), || {
        let turns = turns();
        plain_blocking::nap(Duration::from_millis(1));
        (lane_patched::in_green(), turns.load(Ordering::SeqCst))
    });
    assert_eq!(ran.unwrap().unwrap(), (false, 0));
}
