//! The lanes that the patterns run in.

use std::pin::Pin;
use std::sync::mpsc;
use std::sync::{Arc, Once};
use std::{io, thread};

use blocking_style::Runtime;
use blocking_style::tasks::describe;
use job::LaneError;
use lane_hub::hub;

use crate::log::PATIENCE;

/// A lane, as far as a pattern needs it: a way to run a task that starts others.
#[derive(Clone, Copy)]
pub struct Lane {
    /// As in the rest of the laboratory.
    pub id: &'static str,
    /// Whether all tasks share one OS thread.
    pub is_one_thread: bool,
    /// Runs the first task to its end.
    pub run: Run,
}

/// The first task is blocking code, or it is a future.
#[derive(Clone, Copy)]
pub enum Run {
    /// On a runtime behind the blocking functions.
    Blocking(fn(BlockingMain) -> Result<(), LaneError>),
    /// On tokio.
    Async(fn(AsyncMain) -> Result<(), LaneError>),
}

/// The first task of a blocking or stackful lane.
pub type BlockingMain = Box<dyn FnOnce(&Arc<dyn Runtime>) + Send>;

/// The first task of a stackless lane.
pub type AsyncMain = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Every lane that can live in one program. `stackful/patched` cannot, and is in `tests/patched.rs`.
pub const LANES: &[Lane] = &[
    Lane { id: lane_threads::THREADS.id, is_one_thread: false, run: Run::Blocking(on_threads) },
    Lane { id: lane_may::MAY.id, is_one_thread: false, run: Run::Blocking(on_may) },
    Lane { id: lane_hub::HUB.id, is_one_thread: true, run: Run::Blocking(on_hub) },
    Lane { id: lane_hub::HUB_SLAB.id, is_one_thread: true, run: Run::Blocking(on_hub_slab) },
    Lane { id: lane_tokio::TOKIO.id, is_one_thread: false, run: Run::Async(on_tokio) },
    Lane { id: lane_tokio::TOKIO_LOCAL.id, is_one_thread: true, run: Run::Async(on_tokio_local) },
];

impl Lane {
    /// Starts the first task, whichever of the two is for this lane, on an OS thread beside.
    pub fn start<T: Send + 'static>(
        &self,
        blocking: impl FnOnce(&Arc<dyn Runtime>) -> Result<T, LaneError> + Send + 'static,
        asynchronous: impl Future<Output = Result<T, LaneError>> + Send + 'static,
    ) -> Running<T> {
        let (ended, result) = mpsc::channel();
        let run = self.run;
        thread::spawn(move || {
            let done = ended.clone();
            // Whoever started it may have lost patience, and then nobody wants to know.
            let ran = match run {
                Run::Blocking(run) => {
                    run(Box::new(move |runtime| _ = done.send(blocking(runtime))))
                }
                Run::Async(run) => run(Box::pin(async move { _ = done.send(asynchronous.await) })),
            };
            if let Err(error) = ran {
                let _ = ended.send(Err(error));
            }
        });
        Running(result)
    }
}

/// A first task that was started.
pub struct Running<T>(mpsc::Receiver<Result<T, LaneError>>);

impl<T> Running<T> {
    /// Blocks the OS thread until the task has ended.
    ///
    /// # Errors
    ///
    /// As the task does; or it ended without a result, or the lane could not be started.
    ///
    /// # Panics
    ///
    /// It has not ended after [`PATIENCE`].
    pub fn join(self) -> Result<T, LaneError> {
        match self.0.recv_timeout(PATIENCE) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(LaneError::Task("it panicked".to_owned()))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the lane has not ended"),
        }
    }
}

/// A thread for each task.
fn on_threads(main: BlockingMain) -> Result<(), LaneError> {
    main(&(Arc::new(lane_threads::runtime::Threads::PerTask) as Arc<dyn Runtime>));
    Ok(())
}

/// may is set up once for a process, here for two workers.
fn on_may(main: BlockingMain) -> Result<(), LaneError> {
    static CONFIGURED: Once = Once::new();
    CONFIGURED.call_once(|| lane_may::runtime::configure(2, 16));
    lane_may::runtime::block_on(|| main(&(Arc::new(lane_may::runtime::May) as Arc<dyn Runtime>)))
}

fn on_hub(main: BlockingMain) -> Result<(), LaneError> {
    on_stacks(hub::Stacks::Mapped, main)
}

fn on_hub_slab(main: BlockingMain) -> Result<(), LaneError> {
    on_stacks(hub::Stacks::Slab { most: 64 }, main)
}

fn on_stacks(stacks: hub::Stacks, main: BlockingMain) -> Result<(), LaneError> {
    let done = hub::run_on(stacks, hub::Config::default(), || {
        main(&(Arc::new(lane_hub::runtime::Hub) as Arc<dyn Runtime>));
    })
    .map_err(|source| LaneError::Runtime { doing: "start the hub", source })?;
    done.map_err(|payload| LaneError::Task(describe(payload.as_ref())))
}

fn on_tokio(main: AsyncMain) -> Result<(), LaneError> {
    block_on(lane_tokio::runtime::multi_thread(), main)
}

fn on_tokio_local(main: AsyncMain) -> Result<(), LaneError> {
    block_on(lane_tokio::runtime::local(), main)
}

fn block_on(
    runtime: io::Result<tokio::runtime::Runtime>,
    main: AsyncMain,
) -> Result<(), LaneError> {
    let runtime = runtime.map_err(|source| LaneError::Runtime { doing: "start", source })?;
    let main = runtime.spawn(main);
    runtime.block_on(main).map_err(|error| LaneError::Task(error.to_string()))
}
