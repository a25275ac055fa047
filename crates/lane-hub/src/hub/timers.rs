//! Deadlines, and the tasks that they wake.

use std::collections::BTreeMap;
use std::time::Instant;

use super::TaskId;

/// Tasks by deadline. Most I/O deadlines are removed before they pass, so removal must be cheap:
/// an ordered map does insert and remove in O(log n), where a heap would keep the dead ones.
#[derive(Default)]
pub struct Timers {
    by_deadline: BTreeMap<Timer, TaskId>,
    last_number: u64,
}

/// One deadline; the number tells those of the same instant apart, in order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    deadline: Instant,
    number: u64,
}

impl Timers {
    /// Wakes `task` at `deadline`.
    pub fn insert(&mut self, deadline: Instant, task: TaskId) -> Timer {
        self.last_number += 1;
        let timer = Timer { deadline, number: self.last_number };
        self.by_deadline.insert(timer, task);
        timer
    }

    /// Forgets a deadline; false when it has passed and woken its task.
    pub fn remove(&mut self, timer: Timer) -> bool {
        self.by_deadline.remove(&timer).is_some()
    }

    /// The next deadline.
    pub fn next(&self) -> Option<Instant> {
        self.by_deadline.first_key_value().map(|(timer, _)| timer.deadline)
    }

    /// Takes the next task whose deadline is not after `now`.
    pub fn pop_due(&mut self, now: Instant) -> Option<TaskId> {
        let entry = self.by_deadline.first_entry()?;
        (entry.key().deadline <= now).then(|| entry.remove())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn tasks_come_due_in_order_of_deadline_then_arrival() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.insert(after(20), TaskId(1));
        timers.insert(after(10), TaskId(2));
        timers.insert(after(10), TaskId(3));
        let removed = timers.insert(after(5), TaskId(4));
        assert_eq!(timers.next(), Some(after(5)));
        assert!(timers.remove(removed));
        assert!(!timers.remove(removed));
        assert_eq!(timers.pop_due(after(9)), None);
        let due: Vec<_> = std::iter::from_fn(|| timers.pop_due(after(30))).collect();
        assert_eq!(due, [TaskId(2), TaskId(3), TaskId(1)]);
        assert_eq!(timers.next(), None);
    }
}
