//! A request as the parts of its time, and a cell's requests as a trace that viewers read.
//!
//! The trace is in the Trace Event Format of Chrome ("Trace Event Format", Google, 2016), which
//! <https://ui.perfetto.dev>, chrome://tracing and speedscope show: a process for each cell, a line
//! for each request that was in flight beside the others, and on it the request with its parts.

use harness::Timeline;
use job::Request;
use serde::Serialize;

/// What a request does with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before anything is sent: the client itself, or a wait for its turn.
    Prepare,
    /// Opens a connection.
    Connect,
    /// From the request to the first byte of the response.
    Wait,
    /// From the first byte to the last.
    Read,
    /// Parses the body.
    Parse,
}

impl Phase {
    /// As pages and traces call it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Prepare => "prepare",
            Phase::Connect => "connect",
            Phase::Wait => "wait",
            Phase::Read => "read",
            Phase::Parse => "parse",
        }
    }
}

/// A part of a request's time, nanoseconds from the start of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it does.
    pub phase: Phase,
    /// From when.
    pub from_ns: u64,
    /// To when.
    pub to_ns: u64,
}

/// The parts of a request's time, in order and without gaps. What its lane does not tell counts as
/// waiting; parts of no length are left out.
pub fn parts(request: &Request) -> Vec<Part> {
    let Request { connecting_ns, connected_ns, sent_ns, first_byte_ns, .. } = *request;
    let ends = [
        (Phase::Prepare, connecting_ns),
        (Phase::Connect, connected_ns),
        (Phase::Prepare, sent_ns),
        (Phase::Wait, Some(first_byte_ns.unwrap_or(request.last_byte_ns))),
        (Phase::Read, Some(request.last_byte_ns)),
        (Phase::Parse, Some(request.parsed_ns)),
    ];
    let mut from_ns = request.begun_ns;
    let mut parts = Vec::new();
    for (phase, end_ns) in ends {
        let to_ns = end_ns.unwrap_or(from_ns);
        if to_ns > from_ns {
            parts.push(Part { phase, from_ns, to_ns });
            from_ns = to_ns;
        }
    }
    parts
}

/// A line for each request, such that no two on one line overlap, and as few lines as there were
/// requests in flight at once.
fn lines(requests: &[Request]) -> Vec<usize> {
    let mut free_from: Vec<u64> = Vec::new();
    let place = |request: &Request| {
        let free = free_from.iter().position(|free| *free <= request.begun_ns);
        let line = free.unwrap_or(free_from.len());
        match free {
            Some(line) => free_from[line] = request.parsed_ns,
            None => free_from.push(request.parsed_ns),
        }
        line
    };
    requests.iter().map(place).collect()
}

/// The cells' requests as a trace: JSON for a viewer of traces.
pub fn trace(timelines: &[Timeline]) -> String {
    let shown = timelines.iter().filter(|timeline| timeline.void.is_none());
    let events: Vec<_> = shown.zip(1..).flat_map(|(timeline, pid)| events(timeline, pid)).collect();
    let trace = Trace { trace_events: events, display_time_unit: "ms" };
    serde_json::to_string(&trace).expect("a trace is made of JSON's types") + "\n"
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    trace_events: Vec<Event>,
    display_time_unit: &'static str,
}

#[derive(Serialize)]
struct Event {
    name: String,
    ph: &'static str,
    pid: u32,
    tid: usize,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    args: serde_json::Map<String, serde_json::Value>,
}

fn events(timeline: &Timeline, pid: u32) -> Vec<Event> {
    let named = |what: &str, tid, name: String| Event {
        name: what.to_owned(),
        ph: "M",
        pid,
        tid,
        ts: None,
        dur: None,
        args: [("name".to_owned(), name.into())].into_iter().collect(),
    };
    let lines = lines(&timeline.requests);
    let mut events = vec![named("process_name", 0, timeline.cell.to_string())];
    let count = lines.iter().max().map_or(0, |most| most + 1);
    events.extend(
        (0..count).map(|line| named("thread_name", line, format!("in flight {}", line + 1))),
    );
    for ((request, line), number) in timeline.requests.iter().zip(lines).zip(1..) {
        let spans = |name: String, from_ns: u64, to_ns: u64| Event {
            name,
            ph: "X",
            pid,
            tid: line,
            ts: Some(from_ns as f64 / 1e3),
            dur: Some((to_ns - from_ns) as f64 / 1e3),
            args: serde_json::Map::new(),
        };
        let whole = spans(format!("request {number}"), request.begun_ns, request.parsed_ns);
        let thread = ("parsed on OS thread".to_owned(), request.thread.into());
        events.push(Event { args: [thread].into_iter().collect(), ..whole });
        let parts = parts(request).into_iter();
        events.extend(parts.map(|part| spans(part.phase.name().into(), part.from_ns, part.to_ns)));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn request(begun_ns: u64, parsed_ns: u64) -> Request {
        Request {
            begun_ns,
            connecting_ns: None,
            connected_ns: None,
            sent_ns: None,
            first_byte_ns: None,
            last_byte_ns: parsed_ns - 1,
            parsed_ns,
            thread: 0,
        }
    }

    #[test]
    fn parts_have_no_gaps() {
        let whole = Request {
            connecting_ns: Some(12),
            connected_ns: Some(20),
            sent_ns: Some(21),
            first_byte_ns: Some(30),
            last_byte_ns: 35,
            ..request(10, 40)
        };
        let parts = parts(&whole);
        let names: Vec<_> = parts.iter().map(|part| part.phase.name()).collect();
        assert_eq!(names, ["prepare", "connect", "prepare", "wait", "read", "parse"]);
        assert!(parts.windows(2).all(|two| two[0].to_ns == two[1].from_ns));
        assert_eq!((parts[0].from_ns, parts[5].to_ns), (10, 40));
    }

    #[test]
    fn what_is_not_told_counts_as_waiting() {
        let parts = parts(&request(10, 40));
        let names: Vec<_> = parts.iter().map(|part| part.phase.name()).collect();
        assert_eq!(names, ["wait", "parse"]);
    }

    #[test]
    fn as_many_lines_as_were_in_flight() {
        let requests = [request(0, 10), request(1, 5), request(5, 9), request(10, 12)];
        assert_eq!(lines(&requests), [0, 1, 1, 0]);
        assert_eq!(lines(&[]), Vec::<usize>::new());
    }

    #[test]
    fn a_viewer_finds_every_request_and_its_parts() {
        let requests = vec![request(0, 10), request(1, 5)];
        let shown = fixture::timeline("a/b", requests.clone());
        let void = Timeline { void: Some("crashed".into()), ..fixture::timeline("a/c", requests) };
        let trace: serde_json::Value = serde_json::from_str(&trace(&[void, shown])).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        let of = |ph: &str| events.iter().filter(|event| event["ph"] == ph).count();
        assert_eq!((of("M"), of("X")), (1 + 2, 2 * (1 + 2)));
        let name = events[0]["args"]["name"].as_str().unwrap();
        assert!(name.contains("a/b"), "{name}");
        let inside = |event: &serde_json::Value| event["ts"].as_f64() <= Some(0.01);
        assert!(events.iter().filter(|event| event["ph"] == "X").all(inside));
    }
}
