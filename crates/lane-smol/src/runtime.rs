//! How tasks start and wait on smol.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_channel::Sender;
use async_io::block_on;

/// Where tasks start: `spawn` takes the task's future, and gives a future of its result.
pub type Executor = Arc<async_executor::Executor<'static>>;

/// An executor and the workers that run its tasks. They end when it is dropped, and what tasks are
/// left end with them, wherever they wait.
#[derive(Debug)]
pub struct Runtime {
    executor: Executor,
    /// Nothing is ever sent: closing it is what ends the workers.
    running: Sender<Infallible>,
    workers: Vec<JoinHandle<()>>,
}

/// A worker a core, on an executor of this runtime's own.
///
/// # Errors
///
/// The system has no thread left.
pub fn multi_thread() -> io::Result<Runtime> {
    let (running, ended) = async_channel::bounded(1);
    let mut runtime = Runtime { executor: Executor::default(), running, workers: Vec::new() };
    for number in 0..workers() {
        let (executor, ended) = (Arc::clone(&runtime.executor), ended.clone());
        // smol's own `block_on`: a worker that has nothing to run waits in the reactor.
        let run = move || {
            let _closed = block_on(executor.run(ended.recv()));
        };
        let worker = thread::Builder::new().name(format!("smol-{number}")).spawn(run)?;
        runtime.workers.push(worker);
    }
    Ok(runtime)
}

/// One worker a core.
pub fn workers() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

impl Runtime {
    /// Where its tasks start.
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// Polls `future` on this thread until it has a result.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        block_on(future)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.running.close();
        for worker in self.workers.drain(..) {
            // The executor keeps a task's panic for whoever awaits it, so that none ends a worker.
            worker.join().expect("a worker runs until it is told to end");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures_lite::FutureExt;

    use super::*;

    #[test]
    fn a_panic_is_its_tasks_and_no_workers() {
        let runtime = multi_thread().unwrap();
        for _ in 0..2 * workers() {
            runtime.executor().spawn(async { panic!("enough, and nobody looks") }).detach();
            let task = runtime.executor().spawn(async { panic!("enough") });
            let panic = runtime.block_on(AssertUnwindSafe(task).catch_unwind()).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"enough"));
        }
        let own = thread::current().id();
        let task = runtime.executor().spawn(async { thread::current().id() });
        assert_ne!(runtime.block_on(task), own);
    }

    #[test]
    fn what_still_waits_ends_with_the_runtime() {
        let (held, holder) = async_channel::bounded::<Infallible>(1);
        let runtime = multi_thread().unwrap();
        let (started, starts) = async_channel::bounded(1);
        let task = async move {
            started.send(()).await.unwrap();
            holder.recv().await
        };
        runtime.executor().spawn(task).detach();
        runtime.block_on(starts.recv()).unwrap();
        drop(runtime);
        assert!(held.is_closed(), "the task holds the other end");
    }
}
