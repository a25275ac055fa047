//! A tick every 10 ms for as long as a document is fetched. The first takes three periods, as if it
//! had much to do: the second is late, and those that were missed are left out. Then one every hour,
//! which is not waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use job::LaneError;

use super::Scene;
use crate::lanes::Lane;
use crate::log::{Event, Log, count};
use crate::server::Server;
use crate::{asynchronous, blocking};

/// From one tick to the next.
pub const PERIOD: Duration = Duration::from_millis(10);
/// How many there are at least before the document comes.
pub const TICKS: usize = 5;
/// What follows ticks every hour.
pub const HOURLY: Event = Event::Then("every hour:");

/// The scene.
pub const SCENE: Scene = Scene {
    name: "periodic",
    shows: "tick 0 takes 3 periods: 1 comes late, 2 and 3 are left out; no stop waits for a tick",
    play,
};

fn play(lane: &Lane, log: &Arc<Log>) -> Result<(), LaneError> {
    tick_while_fetching(lane, log, PERIOD, slow_at_first(log), TICKS)?;
    log.add(HOURLY);
    tick_while_fetching(lane, log, Duration::from_secs(3600), slow_at_first(log), 1)
}

/// Fetches a document, which is answered after so many ticks.
fn tick_while_fetching(
    lane: &Lane,
    log: &Arc<Log>,
    period: Duration,
    tick: impl FnMut(u64) + Clone + Send + 'static,
    ticks: usize,
) -> Result<(), LaneError> {
    let server = Server::start(1, log);
    let (job, twin) = (server.job(1), server.job(1));
    let tick_twin = tick.clone();
    let before = log.events().len();
    let running = lane.start(
        move |runtime| {
            let client = blocking_style::Client::new(runtime, &job);
            let fetch = || client.fetch(&job.url(0));
            Ok(blocking::periodic::while_ticking(runtime, period, tick, fetch)??)
        },
        async move {
            let client = lane_tokio::Client::new(&twin);
            let url = twin.url(0);
            let fetch = client.fetch(&url);
            Ok(asynchronous::periodic::while_ticking(period, tick_twin, fetch).await??)
        },
    );
    log.wait_until(|events| {
        let events = &events[before..];
        events.contains(&Event::Asked(1))
            && count(events, |it| matches!(it, Event::Tick(_))) >= ticks
    });
    server.answer(1);
    let fetched = running.join()?;
    log.add(Event::Stopped);
    log.add(Event::Taken(fetched.document.id));
    Ok(())
}

/// Tells of each tick, and is busy for three periods with the first.
fn slow_at_first(log: &Arc<Log>) -> impl FnMut(u64) + Clone + Send + use<> {
    let log = Arc::clone(log);
    move |number| {
        log.add(Event::Tick(number));
        let began = Instant::now();
        while number == 0 && began.elapsed() < 3 * PERIOD {
            std::hint::spin_loop();
        }
    }
}
