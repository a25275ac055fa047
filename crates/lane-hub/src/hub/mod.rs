//! The loop that runs green threads, and what a green thread can ask of it.
//!
//! One turn of the loop: resume tasks that are ready, up to a limit; wait for sockets, until the next
//! deadline at most; wake those whose socket, deadline or mail has come. A wake-up is only ever a
//! hint. Whoever waits checks what it waited for and waits again, so a late or doubled wake-up is
//! harmless, and nothing needs to be taken back in a hurry.

use std::any::type_name_of_val;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use blocking_style::Task;

use mailbox::Mailbox;
use turn::Hub;

pub mod coroutine;
pub mod foreign;
mod idle;
mod join;
mod listener;
pub mod mailbox;
pub mod net;
mod offload;
pub mod reactor;
pub mod slab;
pub mod timers;
mod turn;

pub use join::JoinHandle;
pub use listener::TcpListener;
pub use offload::offload;
pub use reactor::Direction;

/// What a hub is made of.
#[derive(Debug, Clone)]
pub struct Config {
    /// Bytes of each task's stack; only the pages that it touches cost memory.
    pub stack_bytes: usize,
    /// How many stacks of ended tasks are kept for new ones.
    pub stacks_kept: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config { stack_bytes: crate::STACK_BYTES, stacks_kept: 1024 }
    }
}

/// Where a hub has its tasks' stacks from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stacks {
    /// Each is mapped by itself, by `generator`: as many as `vm.max_map_count` allows, at two
    /// mappings each.
    #[default]
    Mapped,
    /// Carved from one [`slab`], and switched by `corosensei`.
    Slab {
        /// The most stacks, and so the most tasks alive at once. They cost address space alone
        /// until they are used.
        most: usize,
    },
}

/// A place in the hub's table of tasks. It is used again when its task has ended; a wake-up meant
/// for the old one is then one for no reason to the new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskId(pub(crate) usize);

/// Which hub, among those that this process has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubId(u64);

thread_local! {
    static HUB: RefCell<Option<Rc<Hub>>> = const { RefCell::new(None) };
}

/// Runs `main` as the first green thread of a hub on this OS thread, until it returns. Green
/// threads that are still suspended then are cancelled: their stacks unwind, and their values are
/// dropped. One that catches every unwind and waits again, for ever, is one that never ends.
///
/// # Errors
///
/// The outer error is the system's, which has no descriptor or stack left; the inner one is the
/// payload of a `main` that panicked or whose stack overflowed.
///
/// # Panics
///
/// On a thread that runs a hub already.
pub fn run<T: Send + 'static>(
    config: Config,
    main: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::Result<T>> {
    run_on(Stacks::default(), config, main)
}

/// As [`run`], on stacks that come from elsewhere.
///
/// # Errors
///
/// As [`run`]; or there is not so much address space.
///
/// # Panics
///
/// As [`run`].
pub fn run_on<T: Send + 'static>(
    stacks: Stacks,
    config: Config,
    main: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::Result<T>> {
    let hub = Rc::new(Hub::new(stacks, &config)?);
    HUB.with_borrow_mut(|slot| {
        assert!(slot.is_none(), "this thread runs a hub already");
        *slot = Some(Rc::clone(&hub));
    });
    let _ends = EndOnDrop(Rc::clone(&hub));
    let handle = spawn(main)?;
    loop {
        hub.run_ready();
        // Before waiting: once `main` has returned, nothing may ever come.
        if let Some(result) = handle.take() {
            return Ok(result);
        }
        hub.wait()?;
    }
}

/// Ends the hub however [`run`] is left.
struct EndOnDrop(Rc<Hub>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.cancel_all();
        HUB.with_borrow_mut(Option::take);
    }
}

/// Starts a green thread on the current hub.
///
/// # Errors
///
/// There is no stack left for it.
///
/// # Panics
///
/// On a thread without a hub.
pub fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let name = type_name_of_val(&work);
    spawn_named(name, work)
}

/// As [`spawn`], with the name by which a [watchdog] tells of it; without one, it is that
/// of the type of `work`.
///
/// # Errors
///
/// As [`spawn`].
///
/// # Panics
///
/// As [`spawn`].
pub fn spawn_named<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let (task, handle) = join::task_and_handle(name, work);
    spawn_task(task)?;
    Ok(handle)
}

/// Starts a green thread that nobody joins through the hub.
///
/// # Errors
///
/// There is no stack left for it.
///
/// # Panics
///
/// On a thread without a hub.
pub fn spawn_task(task: Arc<dyn Task>) -> io::Result<()> {
    current_hub().expect("spawn needs a hub on this thread").start(task)
}

/// Lets every other ready task run before this one goes on.
pub fn yield_now() {
    match place() {
        Place::Task(hub) => {
            hub.wake(hub.current_task());
            hub.suspend();
        }
        Place::Elsewhere => thread::yield_now(),
    }
}

/// Suspends the current green thread for `duration`; outside a hub, the OS thread.
pub fn sleep(duration: Duration) {
    match place() {
        Place::Task(hub) => {
            // A sum that overflows is for ever.
            let deadline = Instant::now().checked_add(duration);
            while !hub.suspend_until(deadline) {}
        }
        Place::Elsewhere => thread::sleep(duration),
    }
}

/// Suspends the current green thread until its [`waker`] is woken; at once if it was woken since
/// the last call. It may return for no reason.
///
/// # Panics
///
/// In a green thread that unwinds, as in a destructor that a panic runs.
pub fn park() {
    match place() {
        Place::Task(hub) => {
            if !hub.take_woken() {
                hub.suspend();
                hub.take_woken();
            }
        }
        Place::Elsewhere => {
            // Whoever would wake it is a task that cannot run meanwhile.
            assert!(current_hub().is_none(), "a green thread cannot park while it unwinds");
            thread::park();
        }
    }
}

/// As [`park`], but for `timeout` at most.
///
/// # Panics
///
/// As [`park`].
pub fn park_timeout(timeout: Duration) {
    match place() {
        Place::Task(hub) => {
            if !hub.take_woken() {
                hub.suspend_until(Instant::now().checked_add(timeout));
                hub.take_woken();
            }
        }
        Place::Elsewhere => {
            assert!(current_hub().is_none(), "a green thread cannot park while it unwinds");
            thread::park_timeout(timeout);
        }
    }
}

/// What ends the current green thread's [`park`], from any task or thread.
///
/// # Panics
///
/// Outside a green thread.
pub fn waker() -> Waker {
    let hub = current_hub().expect("a waker is a green thread's");
    let mailbox = Arc::clone(&hub.mailbox);
    Waker::from(Arc::new(HubWaker { hub: hub.id, task: hub.current_task(), mailbox }))
}

/// Whether the caller is a green thread that may suspend.
pub fn in_task() -> bool {
    matches!(place(), Place::Task(_))
}

struct HubWaker {
    hub: HubId,
    task: TaskId,
    mailbox: Arc<Mailbox>,
}

impl Wake for HubWaker {
    fn wake(self: Arc<Self>) {
        match current_hub() {
            Some(hub) if hub.id == self.hub => hub.notify(self.task),
            _ => self.mailbox.post(self.task),
        }
    }
}

/// Where the caller stands.
enum Place {
    /// On a green thread of this hub, which may suspend.
    Task(Rc<Hub>),
    /// On a plain OS thread, in the hub itself, or in the middle of an unwind.
    Elsewhere,
}

fn place() -> Place {
    match current_hub() {
        Some(hub) if hub.current.get().is_some() && !thread::panicking() => Place::Task(hub),
        _ => Place::Elsewhere,
    }
}

fn current_hub() -> Option<Rc<Hub>> {
    // A thread that is ending has no thread-locals any more, and so no hub.
    HUB.try_with(|slot| slot.borrow().clone()).ok().flatten()
}
