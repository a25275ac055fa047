//! What every lane must tell when it is looked at request by request.

use job::{Answer, Client, Job, Lane, Request};

use crate::HoldingServer;

const DOCUMENTS: u64 = 24;
const CONCURRENCY: u64 = 4;

/// Does a job in `lane` with each client while it is looked at; each that told otherwise than it must
/// is told in a line of the result.
pub fn run_timeline(lane: &Lane) -> Vec<String> {
    timelines(lane, DOCUMENTS)
}

/// The same for a lane that deals its documents out beforehand, as in
/// [`run_open_loop_dealt`](crate::run_open_loop_dealt).
pub fn run_timeline_dealt(lane: &Lane) -> Vec<String> {
    timelines(lane, CONCURRENCY + 1)
}

fn timelines(lane: &Lane, held: u64) -> Vec<String> {
    let clients = [Client::Library, Client::Raw].into_iter();
    clients
        .filter_map(|client| Some(format!("{client}: {}", looked_at(lane, client, held).err()?)))
        .collect()
}

/// The server holds its answers until as many requests have come as are allowed, so as many of them
/// must be seen to wait at once.
fn looked_at(lane: &Lane, client: Client, held: u64) -> Result<(), String> {
    let in_flight = (lane.needs)(&job("http://127.0.0.1:1", client)?).in_flight;
    let server = HoldingServer::start(in_flight, held);
    let origin = format!("http://{}", server.address);
    let job = Job { ids: server.corpus().ids(), ..job(&origin, client)? };
    let tally = (lane.run)(&job).map_err(|error| error.to_string())?;
    let answer = Answer::expected(&job, server.corpus()).map_err(|error| error.to_string())?;
    if let Some(difference) = tally.answer.difference(&answer) {
        return Err(difference);
    }
    let requests = tally.requests.ok_or("told no requests")?;
    if requests.len() as u64 != DOCUMENTS {
        return Err(format!("told {} requests of {DOCUMENTS}", requests.len()));
    }
    if let Some(wrong) = requests.iter().find(|request| !is_in_order(request)) {
        return Err(format!("moments are missing or out of order: {wrong:?}"));
    }
    match at_once(&requests) {
        seen if seen == in_flight => Ok(()),
        seen => Err(format!("{seen} requests waited at once, not {in_flight}")),
    }
}

fn job(origin: &str, client: Client) -> Result<Job, String> {
    let corpus = job::Corpus::generated(1, 1_500, 1).map_err(|error| error.to_string())?;
    let job = Job::new(origin, &corpus, DOCUMENTS, CONCURRENCY, client);
    Ok(Job { timeline: true, ..job })
}

/// Every moment is told, but for those of a connection that was open already.
fn is_in_order(request: &Request) -> bool {
    let Request { begun_ns, connecting_ns, connected_ns, .. } = *request;
    let opened = [connecting_ns, connected_ns].into_iter().flatten();
    let is_whole = connecting_ns.is_some() == connected_ns.is_some();
    let (Some(sent_ns), Some(first_byte_ns)) = (request.sent_ns, request.first_byte_ns) else {
        return false;
    };
    let later = [sent_ns, first_byte_ns, request.last_byte_ns, request.parsed_ns];
    is_whole && [begun_ns].into_iter().chain(opened).chain(later).is_sorted()
}

/// The most requests that waited for their first byte at any moment.
fn at_once(requests: &[Request]) -> u64 {
    let waits = |request: &Request| Some((request.sent_ns?, request.first_byte_ns?));
    let waits: Vec<_> = requests.iter().filter_map(waits).collect();
    let at = |moment: u64| {
        let waiting = waits.iter().filter(|(sent, first)| (*sent..*first).contains(&moment));
        waiting.count() as u64
    };
    waits.iter().map(|(sent, _)| at(*sent)).max().unwrap_or(0)
}
