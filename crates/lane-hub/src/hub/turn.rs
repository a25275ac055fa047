//! One turn of the loop: resume what is ready, wait for what is not, wake what has come.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, RawFd};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use blocking_style::Task;

use super::coroutine::{self, Coroutine, Resumed, Source};
use super::idle::IdleStacks;
use super::mailbox::Mailbox;
use super::reactor::{Direction, Reactor};
use super::timers::Timers;
use super::{Config, HubId, Stacks, TaskId};

/// Tasks resumed before the sockets, the timers and the mail are looked at again.
///
/// The rule is a number of resumptions, and not of microseconds, because a clock that is read for
/// each would cost as much as a switch. A look at everything takes about half a microsecond, most
/// of it in `epoll_pwait2`; shared by 64 it is less than a switch, so looking less often would gain
/// next to nothing. The other way round, whatever has come waits for 64 tasks at most, however many
/// are ready and whatever they do; a task that computes for long without a call to the hub delays
/// the rest under any rule. tokio looks once in 61.
const TASKS_A_TURN: usize = 64;

/// A place for one task and the stack that it runs on, used again when the task has ended.
#[derive(Default)]
struct Slot {
    /// None when the place is free.
    task: RefCell<Option<Arc<dyn Task>>>,
    /// None until the task's first turn. A stack is promised to it, and taken then: the one that was
    /// used last, which is still in the processor's caches. Borrowed while the task runs.
    coroutine: RefCell<Option<Coroutine>>,
    /// Already in `ready`: once is enough.
    queued: Cell<bool>,
    /// Woken since its last [`park`](super::park): kept, because the task may suspend for something
    /// else before it parks.
    woken: Cell<bool>,
}

/// Everything is in cells, and no borrow but that of a running task's own coroutine outlives the
/// statement that takes it: a task may be suspended at any call to [`coroutine::suspend`], and the
/// next one borrows the same cells.
pub(super) struct Hub {
    pub(super) id: HubId,
    slots: RefCell<Vec<Rc<Slot>>>,
    free: RefCell<Vec<TaskId>>,
    ready: RefCell<VecDeque<TaskId>>,
    pub(super) current: Cell<Option<TaskId>>,
    /// Whether the hub is ending, and its tasks unwind from where they are suspended.
    cancelling: Cell<bool>,
    stacks: RefCell<IdleStacks>,
    timers: RefCell<Timers>,
    pub(super) reactor: RefCell<Reactor>,
    pub(super) mailbox: Arc<Mailbox>,
    /// What was in the mailbox; empty between turns.
    mail: Cell<Vec<TaskId>>,
}

impl Hub {
    pub(super) fn new(stacks: Stacks, config: &Config) -> io::Result<Self> {
        static LAST_ID: AtomicU64 = AtomicU64::new(0);
        let id = HubId(LAST_ID.fetch_add(1, Ordering::Relaxed));
        let mailbox = Arc::new(Mailbox::new()?);
        let source = Source::new(stacks, config)?;
        let mut reactor = Reactor::new()?;
        reactor.register(mailbox.as_fd())?;
        Ok(Hub {
            id,
            slots: RefCell::default(),
            free: RefCell::default(),
            ready: RefCell::default(),
            current: Cell::new(None),
            cancelling: Cell::new(false),
            stacks: RefCell::new(IdleStacks::new(source, config.stacks_kept)),
            timers: RefCell::default(),
            reactor: RefCell::new(reactor),
            mailbox,
            mail: Cell::default(),
        })
    }

    /// Promises a task a stack and puts it in line.
    pub(super) fn start(&self, task: Arc<dyn Task>) -> io::Result<()> {
        if self.cancelling.get() {
            return Err(io::Error::other("the hub is ending"));
        }
        self.stacks.borrow_mut().promise()?;
        let free = self.free.borrow_mut().pop();
        let id = free.unwrap_or_else(|| {
            self.slots.borrow_mut().push(Rc::default());
            TaskId(self.slots.borrow().len() - 1)
        });
        let slot = self.slot(id);
        slot.woken.set(false);
        slot.task.replace(Some(task));
        self.queue(id, &slot);
        Ok(())
    }

    fn slot(&self, id: TaskId) -> Rc<Slot> {
        Rc::clone(&self.slots.borrow()[id.0])
    }

    /// The first half of a turn: resumes tasks that are ready, up to a limit.
    pub(super) fn run_ready(&self) {
        for _ in 0..TASKS_A_TURN {
            let next = self.ready.borrow_mut().pop_front();
            match next {
                Some(task) => self.resume(task),
                None => return,
            }
        }
    }

    /// The second half: waits if nothing is ready, and wakes what has come.
    pub(super) fn wait(&self) -> io::Result<()> {
        let timeout = self.may_wait();
        self.reactor.borrow_mut().wait(timeout, |task| self.wake(task))?;
        let mut mail = self.mail.take();
        self.mailbox.take(&mut mail);
        mail.drain(..).for_each(|task| self.notify(task));
        self.mail.set(mail);
        self.wake_due();
        Ok(())
    }

    /// How long there is nothing to do; `None` is for ever.
    fn may_wait(&self) -> Option<Duration> {
        if !self.ready.borrow().is_empty() {
            return Some(Duration::ZERO);
        }
        let next = self.timers.borrow().next()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn wake_due(&self) {
        if self.timers.borrow().next().is_none() {
            return;
        }
        let now = Instant::now();
        while let Some(task) = { self.timers.borrow_mut().pop_due(now) } {
            self.wake(task);
        }
    }

    /// Enters a task's stack, and sees to it when the task has ended.
    fn resume(&self, id: TaskId) {
        let slot = self.slot(id);
        slot.queued.set(false);
        let mut coroutine = slot.coroutine.borrow_mut();
        let entered = match &mut *coroutine {
            Some(coroutine) => coroutine,
            None => {
                // It has none when the task that was woken has ended meanwhile.
                let Some(task) = slot.task.borrow().clone() else { return };
                coroutine.insert(self.stacks.borrow_mut().take(task))
            }
        };
        let resumed = self.enter(id, entered);
        if let Resumed::Suspended = resumed {
            return;
        }
        let left = coroutine.take().expect("it was entered");
        let task = slot.task.take();
        self.free.borrow_mut().push(id);
        match (resumed, task) {
            (Resumed::Lost(why), task) => {
                left.abandon();
                if let Some(task) = task {
                    task.lost(why);
                }
            }
            _ => self.stacks.borrow_mut().give_back(left),
        }
    }

    fn enter(&self, id: TaskId, coroutine: &mut Coroutine) -> Resumed {
        self.current.set(Some(id));
        let resumed = if watchdog::is_watched() {
            self.resume_watched(id, coroutine)
        } else {
            coroutine.resume()
        };
        self.current.set(None);
        resumed
    }

    /// Out of the way of those whom nobody watches.
    #[cold]
    fn resume_watched(&self, id: TaskId, coroutine: &mut Coroutine) -> Resumed {
        let slot = self.slot(id);
        let name = slot.task.borrow().as_ref().map_or("that has ended", |task| task.name());
        watchdog::during(name, || coroutine.resume())
    }

    /// Puts a task in line, once.
    pub(super) fn wake(&self, id: TaskId) {
        self.queue(id, &self.slot(id));
    }

    fn queue(&self, id: TaskId, slot: &Slot) {
        if !slot.queued.replace(true) {
            self.ready.borrow_mut().push_back(id);
        }
    }

    /// Ends a task's [`park`](super::park), the present one or the next.
    pub(super) fn notify(&self, id: TaskId) {
        let slot = self.slot(id);
        slot.woken.set(true);
        self.queue(id, &slot);
    }

    pub(super) fn take_woken(&self) -> bool {
        self.slot(self.current_task()).woken.take()
    }

    pub(super) fn current_task(&self) -> TaskId {
        self.current.get().expect("called on a green thread")
    }

    /// Leaves the current task's stack until it is resumed.
    pub(super) fn suspend(&self) {
        self.unwind_if_ending();
        coroutine::suspend();
        self.unwind_if_ending();
    }

    /// `generator` could cancel, too, but swaps the panic hook of the whole process to do it in
    /// silence, and another thread that does the same may restore the wrong one. This calls none.
    fn unwind_if_ending(&self) {
        if self.cancelling.get() {
            resume_unwind(Box::new("cancelled: the hub has ended"));
        }
    }

    /// Suspends the current task until it is woken or `deadline` has passed; true for the latter.
    pub(super) fn suspend_until(&self, deadline: Option<Instant>) -> bool {
        let task = self.current_task();
        let timer = deadline.map(|at| self.timers.borrow_mut().insert(at, task));
        self.suspend();
        timer.is_some_and(|timer| !self.timers.borrow_mut().remove(timer))
    }

    pub(super) fn register(&self, socket: impl AsFd) -> io::Result<()> {
        self.reactor.borrow_mut().register(socket)
    }

    pub(super) fn clear_ready(&self, fd: RawFd, direction: Direction) {
        self.reactor.borrow_mut().clear_ready(fd, direction);
    }

    pub(super) fn would_block(&self, fd: RawFd, direction: Direction) {
        self.reactor.borrow_mut().would_block(fd, direction);
    }

    /// Suspends the current task until the socket is ready.
    pub(super) fn wait_for(
        &self,
        fd: RawFd,
        direction: Direction,
        deadline: Option<Instant>,
    ) -> io::Result<()> {
        while !self.reactor.borrow().is_ready(fd, direction) {
            self.reactor.borrow_mut().set_waiter(fd, direction, Some(self.current_task()));
            if self.suspend_until(deadline) && !self.reactor.borrow().is_ready(fd, direction) {
                self.reactor.borrow_mut().set_waiter(fd, direction, None);
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }

    /// Unwinds every task that is still suspended; those that have not begun are dropped. Every call
    /// that would suspend unwinds instead, so once is enough.
    pub(super) fn cancel_all(&self) {
        self.cancelling.set(true);
        // The length is bound first: what is unwound below borrows the same cell.
        let slots = self.slots.borrow().len();
        for id in (0..slots).map(TaskId) {
            let slot = self.slot(id);
            let mut coroutine = slot.coroutine.take();
            if let Some(entered) = &mut coroutine
                && let Resumed::Lost(_) = self.enter(id, entered)
                && let Some(lost) = coroutine.take()
            {
                lost.abandon();
            }
            drop(coroutine);
            slot.task.take();
        }
    }
}
