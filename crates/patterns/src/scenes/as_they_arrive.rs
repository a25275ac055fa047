//! Five documents are asked for at once, and answered in another order.

use std::sync::Arc;

use job::{Fetched, LaneError};

use super::Scene;
use crate::lanes::Lane;
use crate::log::{Event, Log, unanswered};
use crate::server::Server;
use crate::{asynchronous, blocking};

/// The order of answers.
pub const ORDER: [u32; 5] = [3, 1, 5, 2, 4];

/// The scene.
pub const SCENE: Scene = Scene {
    name: "as_they_arrive",
    shows: "5 documents are asked for at once, and taken as they are answered: 3, 1, 5, 2, 4",
    play,
};

fn play(lane: &Lane, log: &Arc<Log>) -> Result<(), LaneError> {
    let at_once = ORDER.len();
    let server = Server::start(at_once as u32, log);
    let (job, twin) = (server.job(at_once), server.job(at_once));
    let (take, twins) = (tell(log), tell(log));
    let running = lane.start(
        move |runtime| {
            let client = blocking_style::Client::new(runtime, &job);
            blocking::as_they_arrive::fetch_as_they_arrive(runtime, &client, job.urls(), take)
        },
        async move {
            let client = lane_tokio::Client::new(&twin);
            let urls = twin.urls();
            asynchronous::as_they_arrive::fetch_as_they_arrive(&client, urls, twins).await
        },
    );
    log.wait_until(|events| unanswered(events).len() == at_once);
    for id in ORDER {
        server.answer(id);
        // The next is answered when this one is through: else two could overtake each other.
        log.wait_until(|events| events.contains(&Event::Taken(id)));
    }
    running.join()
}

fn tell(log: &Arc<Log>) -> impl FnMut(Fetched) + Send + use<> {
    let log = Arc::clone(log);
    move |fetched| log.add(Event::Taken(fetched.document.id))
}
