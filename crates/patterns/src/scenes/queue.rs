//! Two producers with six documents each, three consumers, and room for two in between: with the
//! server silent the producers come to a stop.

use std::sync::Arc;

use job::{Job, LaneError};

use super::Scene;
use crate::lanes::Lane;
use crate::log::{Event, Log, count, unanswered};
use crate::server::Server;
use crate::{asynchronous, blocking};

/// How many tasks produce.
pub const PRODUCERS: usize = 2;
/// How many documents each of them comes up with: enough for one producer alone to fill all hands and
/// the queue, and still have one over.
pub const EACH: usize = 6;
/// How many tasks fetch.
pub const CONSUMERS: usize = 3;
/// How many documents wait in between.
pub const CAPACITY: usize = 2;
/// How many are produced while nothing is answered: those in the queue, and one in every hand.
pub const PRODUCED_AHEAD: usize = CAPACITY + CONSUMERS + PRODUCERS;

/// The scene.
pub const SCENE: Scene = Scene {
    name: "queue",
    shows: "2 producers are 7 documents ahead at most: 3 with consumers, 2 in the queue, 2 in hand",
    play,
};

fn play(lane: &Lane, log: &Arc<Log>) -> Result<(), LaneError> {
    let documents = PRODUCERS * EACH;
    let server = Server::start(documents as u32, log);
    let (job, twin) = (server.job(CONSUMERS), server.job(CONSUMERS));
    let (produced, twins) = (producers(&job, log), producers(&job, log));
    let running = lane.start(
        move |runtime| {
            let client = blocking_style::Client::new(runtime, &job);
            blocking::queue::fetch_queued(runtime, &client, produced, CONSUMERS, CAPACITY)
        },
        async move {
            let client = lane_tokio::Client::new(&twin);
            asynchronous::queue::fetch_queued(&client, twins, CONSUMERS, CAPACITY).await
        },
    );
    log.wait_until(|events| {
        count(events, |it| matches!(it, Event::Produced { .. })) >= PRODUCED_AHEAD
    });
    for answered in 0..documents {
        let asked = documents.min(answered + CONSUMERS);
        log.wait_until(|events| count(events, |it| matches!(it, Event::Asked(_))) >= asked);
        server.answer(unanswered(&log.events())[0]);
    }
    for fetched in running.join()? {
        log.add(Event::Taken(fetched.document.id));
    }
    Ok(())
}

/// Each has its share of the URLs, and tells when it comes up with one.
fn producers(job: &Job, log: &Arc<Log>) -> Vec<impl Iterator<Item = String> + Send + use<>> {
    let urls: Vec<_> = (1..).zip(job.urls()).collect();
    let shares = (1..).zip(urls.chunks(EACH).map(<[_]>::to_vec));
    let producers = shares.map(|(producer, share)| {
        let log = Arc::clone(log);
        share.into_iter().map(move |(id, url)| {
            log.add(Event::Produced { producer, id });
            url
        })
    });
    producers.collect()
}
