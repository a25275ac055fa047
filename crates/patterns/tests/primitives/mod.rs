//! What the blocking patterns stand on, on each runtime: semaphore, queue, and work that is offloaded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use blocking_style::{Runtime, Semaphore, Tasks, offload, queue};
use job::LaneError;
use libtest_mimic::Trial;
use patterns::lanes::{Lane, Run};

type Check = fn(&Arc<dyn Runtime>) -> Result<(), LaneError>;

const CHECKS: &[(&str, Check)] = &[
    ("permits are held by so many and no more", permits_are_held),
    ("a queue gives each item once", each_item_comes_once),
    ("a queue ends with its last sender", a_queue_ends),
    ("nobody sends to nobody", nobody_sends_to_nobody),
    ("who has left the line gets nothing", who_has_left_gets_nothing),
    ("a task that unwinds keeps no permit", an_unwind_keeps_no_permit),
    ("what is offloaded ends where it began", what_is_offloaded_ends),
];

/// Each check in each lane that runs blocking code.
pub fn trials(lanes: &'static [Lane]) -> Vec<Trial> {
    let blocking = lanes.iter().filter(|lane| matches!(lane.run, Run::Blocking(_)));
    let pairs = blocking.flat_map(|lane| CHECKS.iter().map(move |check| (lane, check)));
    let trials = pairs.map(|(lane, (name, check))| {
        Trial::test(format!("{name} in {}", lane.id), move || {
            let ended = lane.start(check, async { Ok(()) }).join();
            Ok(ended?)
        })
    });
    trials.collect()
}

fn permits_are_held(runtime: &Arc<dyn Runtime>) -> Result<(), LaneError> {
    let (permits, held) = (Arc::new(Semaphore::new(runtime, 3)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Tasks::new(runtime);
    for _ in 0..20 {
        let (permits, held, runtime) = (permits.clone(), held.clone(), Arc::clone(runtime));
        tasks.spawn(move || {
            let _permit = permits.acquire();
            let most = held.fetch_add(1, Ordering::SeqCst) + 1;
            // While this one waits for another, the rest have their turn, if they wrongly may.
            let mut other = Tasks::new(&runtime);
            other.spawn(|| ())?;
            other.join_next().expect("a task is in flight")?;
            held.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, LaneError>(most)
        })?;
    }
    while let Some(most) = tasks.join_next() {
        assert!(most?? <= 3);
    }
    Ok(())
}

fn each_item_comes_once(runtime: &Arc<dyn Runtime>) -> Result<(), LaneError> {
    let (sender, receiver) = queue(runtime, 1);
    let (mut sending, mut receiving) = (Tasks::new(runtime), Tasks::new(runtime));
    for first in [0, 1_000, 2_000] {
        let sender = sender.clone();
        sending.spawn(move || (first..first + 100).try_for_each(|item| sender.send(item)))?;
    }
    drop(sender);
    for _ in 0..4 {
        let receiver = receiver.clone();
        receiving.spawn(move || std::iter::from_fn(|| receiver.recv()).collect::<Vec<_>>())?;
    }
    let mut all = Vec::new();
    while let Some(items) = receiving.join_next() {
        all.extend(items?);
    }
    while let Some(sent) = sending.join_next() {
        assert!(sent?.is_ok());
    }
    all.sort_unstable();
    assert!(all.into_iter().eq([0, 1_000, 2_000].into_iter().flat_map(|it| it..it + 100)));
    Ok(())
}

fn a_queue_ends(runtime: &Arc<dyn Runtime>) -> Result<(), LaneError> {
    let (sender, receiver) = queue(runtime, 2);
    let other = sender.clone();
    sender.send("first").expect("there is a receiver");
    other.send("last").expect("there is a receiver");
    drop((sender, other));
    assert_eq!(receiver.recv(), Some("first"));
    assert_eq!(receiver.recv_timeout(Duration::MAX), Ok("last"));
    assert_eq!(receiver.recv(), None);
    assert_eq!(receiver.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Disconnected));
    Ok(())
}

fn nobody_sends_to_nobody(runtime: &Arc<dyn Runtime>) -> Result<(), LaneError> {
    let (sender, receiver) = queue(runtime, 1);
    sender.send(1).expect("there is a receiver");
    let mut sending = Tasks::new(runtime);
    sending.spawn(move || (sender.send(2).is_err(), sender.send(3).is_err()))?;
    drop(receiver);
    assert_eq!(sending.join_next().expect("a task is in flight")?, (true, true));
    Ok(())
}

/// A place in the line that timed out must not swallow what comes later.
fn who_has_left_gets_nothing(runtime: &Arc<dyn Runtime>) -> Result<(), LaneError> {
    let (sender, receiver) = queue(runtime, 1);
    for timeout in [Duration::ZERO, Duration::from_micros(1), Duration::from_millis(1)] {
        assert_eq!(receiver.recv_timeout(timeout), Err(RecvTimeoutError::Timeout));
    }
    sender.send(1).expect("there is a receiver");
    assert_eq!(receiver.recv(), Some(1));
    Ok(())
}

fn an_unwind_keeps_no_permit(runtime: &Arc<dyn Runtime>) -> Result<(), LaneError> {
    let permits = Arc::new(Semaphore::new(runtime, 1));
    let mut tasks = Tasks::<()>::new(runtime);
    let held = Arc::clone(&permits);
    tasks.spawn(move || {
        let _permit = held.acquire();
        panic!("on purpose");
    })?;
    assert!(tasks.join_next().expect("a task is in flight").is_err());
    drop(permits.acquire());
    Ok(())
}

fn what_is_offloaded_ends(runtime: &Arc<dyn Runtime>) -> Result<(), LaneError> {
    assert_eq!(offload(runtime, || 7)?, 7);
    let panicked = offload(runtime, || panic!("on purpose"));
    assert!(matches!(panicked, Err(LaneError::Task(why)) if why == "on purpose"));
    Ok(())
}
