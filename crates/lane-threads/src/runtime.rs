//! How tasks start and wait on OS threads.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use blocking_style::{Runtime, Socket, Task};
use job::LaneError;

use crate::STACK_BYTES;
use crate::socket::Stream;

/// OS threads, and what becomes of a task that is spawned.
pub enum Threads {
    /// It runs there and then, and the spawner waits for it: no concurrency at all.
    Inline,
    /// It is queued for one of a fixed number of threads.
    Pool(Pool),
    /// It has a thread of its own.
    PerTask,
}

impl Runtime for Threads {
    fn connect(
        &self,
        address: SocketAddr,
        timeout: Option<Duration>,
    ) -> io::Result<Box<dyn Socket>> {
        Ok(Box::new(Stream::connect(address, timeout)?))
    }

    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }

    fn spawn(&self, task: Arc<dyn Task>) -> io::Result<()> {
        match self {
            Threads::Inline => {
                task.run();
                Ok(())
            }
            Threads::Pool(pool) => pool.queue(task),
            Threads::PerTask => {
                let builder = thread::Builder::new().stack_size(STACK_BYTES);
                builder.spawn(move || task.run()).map(drop)
            }
        }
    }

    /// Here and now: a thread that computes keeps no other from running, because the kernel takes
    /// it off its processor.
    fn offload(&self, task: Arc<dyn Task>) -> io::Result<()> {
        task.run();
        Ok(())
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }

    fn park(&self) {
        thread::park();
    }

    fn park_timeout(&self, timeout: Duration) {
        thread::park_timeout(timeout);
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::new(Unpark(thread::current())))
    }
}

/// A fixed number of threads that take tasks from one queue.
pub struct Pool {
    tasks: mpsc::Sender<Arc<dyn Task>>,
}

impl Pool {
    /// Starts `threads` threads, which end when the pool is dropped and its queue is empty.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub fn start(threads: u64) -> Result<Self, LaneError> {
        let (sender, tasks) = mpsc::channel::<Arc<dyn Task>>();
        let tasks = Arc::new(Mutex::new(tasks));
        for _ in 0..threads {
            let tasks = Arc::clone(&tasks);
            let builder = thread::Builder::new().stack_size(STACK_BYTES);
            let started = builder.spawn(move || {
                while let Some(task) = next(&tasks) {
                    task.run();
                }
            });
            started
                .map_err(|source| LaneError::Runtime { doing: "start a pooled thread", source })?;
        }
        Ok(Pool { tasks: sender })
    }

    fn queue(&self, task: Arc<dyn Task>) -> io::Result<()> {
        self.tasks.send(task).map_err(|_| io::Error::other("every thread of the pool has ended"))
    }
}

/// The next task, once there is one; `None` when the pool is gone. A thread waits while it holds
/// the lock, and the others wait for the lock.
fn next(tasks: &Mutex<mpsc::Receiver<Arc<dyn Task>>>) -> Option<Arc<dyn Task>> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Wakes a parked thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
