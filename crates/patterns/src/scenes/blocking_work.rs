//! Two documents, something to compute from each, and a tick every 10 ms beside it: computed in
//! place first, then handed over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use job::{Fetched, LaneError};

use super::Scene;
use crate::lanes::Lane;
use crate::log::{Event, Log, count};
use crate::server::Server;
use crate::{asynchronous, blocking};

/// From one tick to the next.
pub const PERIOD: Duration = Duration::from_millis(10);
/// How many documents.
pub const DOCUMENTS: usize = 2;
/// How many ticks there are while something is computed that was handed over.
pub const TICKS: usize = 3;
/// What follows is not computed in place.
pub const HANDED_OVER: Event = Event::Then("the same, handed over:");

/// The scene.
pub const SCENE: Scene = Scene {
    name: "blocking_work",
    shows: "ticks while something is computed: on one thread none in place, all when handed over",
    play,
};

fn play(lane: &Lane, log: &Arc<Log>) -> Result<(), LaneError> {
    let server = Server::start(DOCUMENTS as u32, log);
    server.answer_all();
    in_place(lane, log, &server)?;
    log.add(HANDED_OVER);
    handed_over(lane, log, &server)
}

fn in_place(lane: &Lane, log: &Arc<Log>, server: &Server) -> Result<(), LaneError> {
    let (job, twin) = (server.job(DOCUMENTS), server.job(DOCUMENTS));
    let (tick, compute) = (tick(log), compute_long(log));
    let (tick_twin, compute_twin) = (tick.clone(), compute.clone());
    let running = lane.start(
        move |runtime| {
            use blocking::{blocking_work::fetch_and_compute_in_place, periodic::while_ticking};
            let client = blocking_style::Client::new(runtime, &job);
            while_ticking(runtime, PERIOD, tick, || {
                fetch_and_compute_in_place(runtime, &client, job.urls(), compute)
            })?
        },
        async move {
            use asynchronous::{
                blocking_work::fetch_and_compute_in_place, periodic::while_ticking,
            };
            let client = lane_tokio::Client::new(&twin);
            let computed = fetch_and_compute_in_place(&client, twin.urls(), compute_twin);
            while_ticking(PERIOD, tick_twin, computed).await?
        },
    );
    running.join().map(drop)
}

fn handed_over(lane: &Lane, log: &Arc<Log>, server: &Server) -> Result<(), LaneError> {
    let (job, twin) = (server.job(DOCUMENTS), server.job(DOCUMENTS));
    let (tick, compute) = (tick(log), compute_until_it_has_ticked(log));
    let (tick_twin, compute_twin) = (tick.clone(), compute.clone());
    let running = lane.start(
        move |runtime| {
            use blocking::{blocking_work::fetch_and_compute, periodic::while_ticking};
            let client = blocking_style::Client::new(runtime, &job);
            while_ticking(runtime, PERIOD, tick, || {
                fetch_and_compute(runtime, &client, job.urls(), DOCUMENTS, compute)
            })?
        },
        async move {
            use asynchronous::{blocking_work::fetch_and_compute, periodic::while_ticking};
            let client = lane_tokio::Client::new(&twin);
            let computed = fetch_and_compute(&client, twin.urls(), DOCUMENTS, compute_twin);
            while_ticking(PERIOD, tick_twin, computed).await?
        },
    );
    running.join().map(drop)
}

fn tick(log: &Arc<Log>) -> impl FnMut(u64) + Clone + Send + use<> {
    let log = Arc::clone(log);
    move |number| log.add(Event::Tick(number))
}

/// Stands for work that is long: a processor is busy with it for three periods.
fn compute_long(log: &Arc<Log>) -> impl Fn(Fetched) + Clone + Send + use<> {
    let log = Arc::clone(log);
    move |fetched| {
        log.add(Event::Computes(fetched.document.id));
        let began = Instant::now();
        while began.elapsed() < 3 * PERIOD {
            std::hint::spin_loop();
        }
        log.add(Event::Computed(fetched.document.id));
    }
}

/// Stands for work that is as long as three ticks. Were these kept waiting by it, it would have no
/// end.
fn compute_until_it_has_ticked(log: &Arc<Log>) -> impl Fn(Fetched) + Clone + Send + use<> {
    let log = Arc::clone(log);
    move |fetched| {
        let computes = Event::Computes(fetched.document.id);
        log.add(computes);
        log.wait_until(|events| {
            let began = events.iter().rposition(|event| *event == computes).unwrap_or_default();
            count(&events[began..], |it| matches!(it, Event::Tick(_))) >= TICKS
        });
        log.add(Event::Computed(fetched.document.id));
    }
}
