//! Six documents, two at once: the server answers one only when two wait for it.

use std::sync::Arc;

use job::LaneError;

use super::Scene;
use crate::lanes::Lane;
use crate::log::{Event, Log, count, unanswered};
use crate::server::Server;
use crate::{asynchronous, blocking};

/// How many documents.
pub const DOCUMENTS: usize = 6;
/// How many of them at once.
pub const CAP: usize = 2;

/// The scene.
pub const SCENE: Scene = Scene {
    name: "semaphore",
    shows: "6 tasks, and never more than 2 of them between asked for and answered",
    play,
};

fn play(lane: &Lane, log: &Arc<Log>) -> Result<(), LaneError> {
    let server = Server::start(DOCUMENTS as u32, log);
    let (job, twin) = (server.job(CAP), server.job(CAP));
    let running = lane.start(
        move |runtime| {
            let client = blocking_style::Client::new(runtime, &job);
            blocking::semaphore::fetch_capped(runtime, &client, job.urls(), CAP)
        },
        async move {
            let client = lane_tokio::Client::new(&twin);
            asynchronous::semaphore::fetch_capped(&client, twin.urls(), CAP).await
        },
    );
    for answered in 0..DOCUMENTS {
        let asked = DOCUMENTS.min(answered + CAP);
        log.wait_until(|events| count(events, |it| matches!(it, Event::Asked(_))) >= asked);
        server.answer(unanswered(&log.events())[0]);
    }
    for fetched in running.join()? {
        log.add(Event::Taken(fetched.document.id));
    }
    Ok(())
}
