//! The gates that a sample must pass to count.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use job::protocol::Failed;
use job::{Answer, Arrivals, Completed, Outcome, OutcomeResult};
use origin::{Server, Stats};
use serde::{Deserialize, Serialize};

use crate::lane_process::Ended;
use crate::machine::MachineMeasured;
use crate::memory::last_words;
use crate::network::Network;
use crate::number::grouped;
use crate::plan::PlannedCell;
use crate::process::{Status, Wake};
use crate::sample::{JobMeasured, SAMPLE_SCHEMA, Sample};

/// Why a sample does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// Which gate it did not pass.
    pub gate: Gate,
    /// What happened, for a person.
    pub why: String,
}

/// What a sample must have done to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Ended by itself, with an outcome.
    Ended,
    /// Ended before the limit.
    InTime,
    /// Completed the job.
    Completed,
    /// Answered right.
    Answer,
    /// Asked for every document once.
    Requests,
    /// Kept at most the cell's concurrency in flight.
    InFlightMost,
    /// Had as many in flight as the cell promises.
    InFlightLeast,
    /// Sent each document when it was due, and told every latency: in an open loop.
    Schedule,
    /// Met no listen queue that was full, which costs a connection a second.
    ListenQueue,
    /// Had descriptors and ports enough, on both sides.
    Exhaustion,
    /// Says of itself what Little's law allows: requests were in flight for as long as the origin
    /// had them, and never more than the cell's concurrency at a time.
    LittlesLaw,
    /// Got the delays that the workload asks for.
    Delay,
    /// Had the machine to itself.
    Load,
}

impl Gate {
    /// Whether the lane is to blame, and not the machine.
    pub fn is_failure(self) -> bool {
        matches!(self, Gate::Ended | Gate::InTime | Gate::Completed | Gate::Answer | Gate::Schedule)
    }

    /// Whether the machine was too slow or too busy for it, which says nothing of the lane.
    pub fn is_disturbance(self) -> bool {
        matches!(self, Gate::ListenQueue | Gate::Delay | Gate::Load)
    }
}

/// What a sample is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The cell and what it promises.
    pub cell: &'a PlannedCell,
    /// The right answer.
    pub answer: &'a Answer,
    /// How often the origin must have been asked.
    pub requests: u64,
    /// What the origin waits before it answers, microseconds.
    pub delay_us: u64,
    /// The part of the CPU time that others may take, from 0 to 1.
    pub load_limit: f64,
    /// When its documents were due, in an open loop.
    pub arrivals: Option<Arrivals>,
    /// How long the lane had.
    pub limit: Duration,
}

/// What was seen from outside while a lane process ran.
#[derive(Debug, Clone)]
pub struct Seen {
    /// By the origin.
    pub origin: Stats,
    /// In the network stack.
    pub network: Network,
    /// On the processors.
    pub machine: MachineMeasured,
}

/// Makes a sample of what came back, and says whether it counts.
pub fn judge(expected: &Expected<'_>, ended: Ended, seen: Seen) -> Sample {
    let outcome = completed(&ended, expected.limit);
    let void = match &outcome {
        Err(void) => Some(void.clone()),
        Ok(completed) => gates(expected, completed, &seen),
    };
    let job = outcome.ok().map(|completed| JobMeasured {
        wall_ns: completed.wall_ns,
        ready_ns: completed
            .ready_unix_us
            .map(|ready| ready.saturating_sub(ended.started_unix_us).saturating_mul(1_000)),
        usage: completed.usage,
        rss_bytes_peak: completed.rss_bytes_peak,
        address_space_bytes_peak: completed.address_space_bytes_peak,
        service_times_ns: completed.service_times_ns,
        latencies_ns: completed.latencies_ns,
        sent_in_time: completed.sent_in_time,
        allocations: completed.allocations,
    });
    let (cell, process) = (expected.cell.cell.clone(), ended.measured);
    Sample {
        schema: SAMPLE_SCHEMA,
        number: 0,
        round: 0,
        warmup: false,
        started_unix_ms: unix_ms().saturating_sub(process.wall_ns / 1_000_000),
        cell,
        void,
        job,
        process,
        origin: Some(seen.origin),
        network: seen.network,
        machine: seen.machine,
    }
}

fn completed(ended: &Ended, limit: Duration) -> Result<Completed, Void> {
    let said = || match last_words(&ended.stderr) {
        words if words.is_empty() => String::new(),
        words => format!(": {words}"),
    };
    let void = |gate, why| Err(Void { gate, why });
    if ended.wake == Wake::OutOfTime {
        let why = format!("killed after {} s without an end{}", limit.as_secs_f64(), said());
        return void(Gate::InTime, why);
    }
    if ended.status != Status::Exited(0) {
        return void(Gate::Ended, format!("crashed with {}{}", ended.status, said()));
    }
    match Outcome::from_json(&ended.stdout).map(|outcome| outcome.result) {
        Ok(OutcomeResult::Completed(completed)) => Ok(*completed),
        Ok(OutcomeResult::Failed(failed)) => {
            let gate = if is_exhaustion(&failed) { Gate::Exhaustion } else { Gate::Completed };
            void(gate, format!("failed: {failed}"))
        }
        Err(error) => void(Gate::Ended, format!("wrote no outcome: {error}{}", said())),
    }
}

/// Whether the system had no descriptor or no port left: `EMFILE`, `ENFILE`, `EADDRNOTAVAIL`.
fn is_exhaustion(failed: &Failed) -> bool {
    ["os error 24)", "os error 23)", "os error 99)"].iter().any(|code| failed.why.contains(code))
}

/// The first gate that a completed job does not pass.
fn gates(expected: &Expected<'_>, completed: &Completed, seen: &Seen) -> Option<Void> {
    if let Some(difference) = completed.answer.difference(expected.answer) {
        let why = format!("answered wrong: {difference}");
        return Some(Void { gate: Gate::Answer, why });
    }
    off_schedule(expected, completed)
        .map(|why| Void { gate: Gate::Schedule, why })
        .or_else(|| in_flight(expected, &seen.origin))
        .or_else(|| listen_queue(expected, completed, seen))
        .or_else(|| exhaustion(&seen.origin))
        .or_else(|| littles_law(expected, completed, &seen.origin))
        .or_else(|| delay(expected, &seen.origin))
        .or_else(|| {
            let why = seen.machine.above(expected.load_limit)?;
            Some(Void { gate: Gate::Load, why })
        })
}

fn in_flight(expected: &Expected<'_>, origin: &Stats) -> Option<Void> {
    let PlannedCell { cell, in_flight_least, .. } = expected.cell;
    let Stats { requests, in_flight_peak, .. } = origin;
    let void = |gate, why| Some(Void { gate, why });
    let peak = grouped(*in_flight_peak);
    if *in_flight_peak > cell.point.concurrency {
        let allowed = grouped(cell.point.concurrency);
        let why = format!("had {peak} requests in flight, allowed {allowed}");
        return void(Gate::InFlightMost, why);
    }
    if in_flight_peak < in_flight_least {
        let why = format!("had {peak} requests in flight, not {}", grouped(*in_flight_least));
        return void(Gate::InFlightLeast, why);
    }
    if *requests != expected.requests {
        let (requests, documents) = (grouped(*requests), grouped(expected.requests));
        let why = format!("made {requests} requests for {documents} documents");
        return void(Gate::Requests, why);
    }
    None
}

/// The counter is the whole machine's, so an overflow is only ours if one of our connections waited
/// for its retransmission.
fn listen_queue(expected: &Expected<'_>, completed: &Completed, seen: &Seen) -> Option<Void> {
    let slowest_ns = completed.service_times_ns.iter().map(|(value, _)| *value).max().unwrap_or(0);
    let least_ns = SYN_RETRANSMISSION_NS + expected.delay_us.saturating_mul(1_000);
    (seen.network.listen_overflows > 0 && slowest_ns >= least_ns).then(|| {
        let minihttp = seen.origin.server == Server::MayMinihttp.name();
        let of = if minihttp { " of may_minihttp, which is 1,024 long," } else { "" };
        let seconds = slowest_ns as f64 / 1e9;
        let why = format!("a connection found the listen queue{of} full and took {seconds:.1} s");
        Void { gate: Gate::ListenQueue, why }
    })
}

/// How long the kernel waits before it asks for a connection again (RFC 6298, section 2.1).
const SYN_RETRANSMISSION_NS: u64 = 1_000_000_000;

/// What shows that a lane has not followed the schedule of an open-loop job. Whether it kept up is
/// for the figures to say.
fn off_schedule(expected: &Expected<'_>, completed: &Completed) -> Option<String> {
    let (arrivals, documents) = (expected.arrivals?, expected.answer.documents);
    let Some((latencies, sent)) = completed.latencies_ns.as_ref().zip(completed.sent_in_time)
    else {
        return Some("told no latencies: it knows nothing of `arrivals`".to_owned());
    };
    let counted: u64 = latencies.iter().map(|(_, count)| *count).sum();
    let (told, all) = (grouped(counted), grouped(documents));
    if counted != documents {
        return Some(format!("told {told} latencies of {all} documents"));
    }
    if sent > documents {
        return Some(format!("sent {} documents of {all} in time", grouped(sent)));
    }
    let last_due = arrivals.schedule(documents).last()?;
    let wall = Duration::from_nanos(completed.wall_ns);
    (wall < last_due).then(|| {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let (wall, last_due) = (ms(wall), ms(last_due));
        format!("was done after {wall:.1} ms, but the last document is due at {last_due:.1} ms")
    })
}

fn exhaustion(origin: &Stats) -> Option<Void> {
    (origin.exhausted > 0).then(|| {
        let times = grouped(origin.exhausted);
        let why = format!("the origin ran out of descriptors {times} times: raise ulimit -n");
        Void { gate: Gate::Exhaustion, why }
    })
}

/// By Little's law (Operations Research 9:3, 1961) the mean number in flight is the rate times the
/// mean time in flight: the sum of all times over the wall. The lane's clock covers more than the
/// origin's, so it must say at least as much, and no more than the cell allows; each within
/// [`LITTLES_LAW_MARGIN`]. A lane whose clock leaves out what the origin took, that leaves requests
/// out, or whose times do not fit into its wall fails here.
fn littles_law(expected: &Expected<'_>, completed: &Completed, origin: &Stats) -> Option<Void> {
    let cell = &expected.cell.cell;
    if cell.is_bound() || origin.residence_ns_sum == 0 {
        return None;
    }
    let void = |why| Some(Void { gate: Gate::LittlesLaw, why });
    let recorded: u64 = completed.service_times_ns.iter().map(|(_, count)| count).sum();
    if recorded != expected.requests {
        let (recorded, documents) = (grouped(recorded), grouped(expected.requests));
        return void(format!("recorded {recorded} service times for {documents} documents"));
    }
    let times_ns = |(value, count): &(u64, u64)| *value as f64 * *count as f64;
    let lane_ns: f64 = completed.service_times_ns.iter().map(times_ns).sum();
    let in_flight = |ns: f64| ns / completed.wall_ns.max(1) as f64;
    let (lane, at_origin) = (in_flight(lane_ns), in_flight(origin.residence_ns_sum as f64));
    let most = cell.point.concurrency as f64;
    if lane < at_origin * (1.0 - LITTLES_LAW_MARGIN) {
        return void(format!(
            "its service times add up to {lane:.2} requests in flight, but the origin had \
             {at_origin:.2}"
        ));
    }
    if lane > most * (1.0 + LITTLES_LAW_MARGIN) {
        return void(format!(
            "its service times add up to {lane:.2} requests in flight, and {most} were allowed"
        ));
    }
    None
}

/// How far the two sides of Little's law may lie apart.
const LITTLES_LAW_MARGIN: f64 = 0.05;

/// No delay is early, and half of them are late by a tenth at most. Who allows others any part of the
/// CPU time allows them to make delays late.
fn delay(expected: &Expected<'_>, origin: &Stats) -> Option<Void> {
    let void = |why| Some(Void { gate: Gate::Delay, why });
    if origin.delays_early > 0 {
        return void(format!("the origin answered {} times too early", origin.delays_early));
    }
    let late_us = origin.delay_error_us.p50;
    let most_us = (expected.delay_us / DELAY_LATE_MOST).max(DELAY_LATE_US_LEAST);
    (late_us > most_us && expected.load_limit < 1.0).then(|| Void {
        gate: Gate::Delay,
        why: format!(
            "half of the origin's delays of {} ms were late by {:.1} ms or more",
            expected.delay_us as f64 / 1e3,
            late_us as f64 / 1e3
        ),
    })
}

/// The part of a delay, as 1 in so many, that half of them may be late by; and what is never too
/// late: it is what a burst of answers takes.
const DELAY_LATE_MOST: u64 = 10;
const DELAY_LATE_US_LEAST: u64 = 2_000;

pub(crate) fn unix_ms() -> u64 {
    unix_us() / 1_000
}

pub(crate) fn unix_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use job::{Client, OutcomeResult, PROTOCOL_VERSION, Process, Usage};
    use origin::DelayError;

    use super::*;
    use crate::placement::Placement;
    use crate::plan::Cell;
    use crate::sample::ProcessMeasured;
    use crate::workload::Point;

    const LIMIT: Duration = Duration::from_secs(9);

    fn ended(stdout: String) -> Ended {
        let process = ProcessMeasured {
            wall_ns: 1,
            usage: Usage::default(),
            exit_code: Some(0),
            signal: None,
        };
        let (wake, status) = (Wake::Ended, Status::Exited(0));
        let (started_unix_us, stderr) = (7_000, "one\n\ntwo\n".into());
        Ended { wake, status, started_unix_us, measured: process, stdout, stderr }
    }

    fn outcome(answer: Answer) -> String {
        let completed = Completed {
            answer,
            wall_ns: 5,
            ready_unix_us: Some(7_250),
            service_times_ns: vec![(1, 10)],
            latencies_ns: None,
            sent_in_time: None,
            usage: None,
            rss_bytes_peak: None,
            address_space_bytes_peak: None,
            allocations: None,
            requests: None,
        };
        let result = OutcomeResult::Completed(Box::new(completed));
        Outcome { protocol: PROTOCOL_VERSION, result }.to_json()
    }

    fn stats(requests: u64, in_flight_peak: u64) -> Stats {
        Stats {
            server: "hyper".into(),
            requests,
            connections: 1,
            in_flight: 0,
            in_flight_peak,
            residence_ns_sum: 0,
            exhausted: 0,
            bytes_sent: 0,
            delays: 0,
            delays_early: 0,
            delay_error_us: DelayError::default(),
            cpu_us: 0,
        }
    }

    fn verdict(ended: Ended, stats: Stats, network: Network) -> Option<(Gate, String)> {
        verdict_of(None, ended, stats, network)
    }

    /// Ten documents with at most eight in flight, of which four are promised.
    fn verdict_of(
        arrivals: Option<Arrivals>,
        ended: Ended,
        stats: Stats,
        network: Network,
    ) -> Option<(Gate, String)> {
        let cell = Cell {
            workload: "w".into(),
            point: Point { documents: 10, concurrency: 8, rate: None },
            client: Client::Raw,
            lane: "a/b".into(),
            placement: Placement::Unpinned,
        };
        let cell = PlannedCell { cell, in_flight_least: 4, not_run: None };
        let answer = Answer { documents: 10, ..Answer::new(10) };
        let (limit, delay_us, load_limit) = (LIMIT, 20_000, 0.1);
        let (answer, requests) = (&answer, 10);
        let cell = &cell;
        let expected = Expected { cell, answer, requests, arrivals, delay_us, load_limit, limit };
        let machine = MachineMeasured::default();
        let sample = judge(&expected, ended, Seen { origin: stats, network, machine });
        sample.void.map(|void| (void.gate, void.why))
    }

    /// The same in an open loop, the last of them due after 9 ms.
    fn verdict_on_schedule(fields: &str) -> Option<(Gate, String)> {
        let arrivals = Arrivals { process: Process::Uniform, rate: 1_000, seed: 0 };
        let told = right().stdout.replace("\"wall_ns\":5", fields);
        verdict_of(Some(arrivals), ended(told), stats(10, 8), Network::default())
    }

    fn right() -> Ended {
        ended(outcome(Answer { documents: 10, ..Answer::new(10) }))
    }

    #[test]
    fn a_right_answer_counts() {
        assert_eq!(verdict(right(), stats(10, 8), Network::default()), None);
        assert_eq!(verdict(right(), stats(10, 4), Network::default()), None);
    }

    #[test]
    fn every_gate_says_what_happened() {
        let quiet = Network::default();
        let why = |verdict: Option<(Gate, String)>| verdict.map(|(_, why)| why).unwrap_or_default();
        assert_eq!(
            why(verdict(right(), stats(10, 9), quiet)),
            "had 9 requests in flight, allowed 8"
        );
        assert_eq!(why(verdict(right(), stats(10, 3), quiet)), "had 3 requests in flight, not 4");
        assert_eq!(why(verdict(right(), stats(11, 8), quiet)), "made 11 requests for 10 documents");
        let full = Network { listen_overflows: 2, syn_retransmits: 2, time_wait: 0 };
        let late = right()
            .stdout
            .replace("[[1,10]]", "[[1020000000,10]]")
            .replace("\"wall_ns\":5", "\"wall_ns\":2000000000");
        assert_eq!(
            why(verdict(ended(late.clone()), stats(10, 8), full)),
            "a connection found the listen queue full and took 1.0 s"
        );
        let minihttp = Stats { server: "may_minihttp".into(), ..stats(10, 8) };
        assert_eq!(
            why(verdict(ended(late.clone()), minihttp, full)),
            "a connection found the listen queue of may_minihttp, which is 1,024 long, full and \
             took 1.0 s"
        );
        assert_eq!(verdict(ended(late), stats(10, 8), quiet), None, "slow, but for no such reason");
        assert_eq!(verdict(right(), stats(10, 8), full), None, "somebody else's overflow");
        assert_eq!(
            why(verdict(ended(outcome(Answer::new(10))), stats(10, 8), quiet)),
            "answered wrong: documents is 0, expected 10"
        );
        let silent = why(verdict(ended(String::new()), stats(10, 8), quiet));
        assert!(silent.starts_with("wrote no outcome: not an outcome"), "{silent}");
        assert!(silent.ends_with(": one | two"), "{silent}");
        let crashed = Ended { status: Status::Signalled(6), ..right() };
        assert_eq!(
            why(verdict(crashed, stats(10, 8), quiet)),
            "crashed with signal 6, SIGABRT: one | two"
        );
        let hung = Ended { wake: Wake::OutOfTime, ..right() };
        assert_eq!(
            why(verdict(hung, stats(10, 8), quiet)),
            "killed after 9 s without an end: one | two"
        );
        let text = r#"{"protocol":1,"failed":{"url":"http://x/1","why":"connection refused"}}"#;
        assert_eq!(
            why(verdict(ended(text.into()), stats(0, 0), quiet)),
            "failed: GET http://x/1: connection refused"
        );
    }

    fn why(verdict: Option<(Gate, String)>) -> (Gate, String) {
        verdict.expect("it does not count")
    }

    /// Ten service times of `each_ns` nanoseconds in a job of 10 ms.
    fn timed(each_ns: u64) -> Ended {
        let text = right().stdout.replace("[[1,10]]", &format!("[[{each_ns},10]]"));
        ended(text.replace("\"wall_ns\":5", "\"wall_ns\":10000000"))
    }

    #[test]
    fn what_a_lane_says_of_itself_obeys_littles_law() {
        let quiet = Network::default();
        let seen = |ms: u64| Stats { residence_ns_sum: ms * 1_000_000, ..stats(10, 8) };
        assert_eq!(verdict(timed(5_000_000), seen(50), quiet), None);
        assert_eq!(verdict(timed(4_800_000), seen(50), quiet), None, "within 5 %");
        assert_eq!(verdict(timed(8_300_000), seen(50), quiet), None, "within 5 %");
        assert_eq!(
            why(verdict(timed(4_700_000), seen(50), quiet)),
            (
                Gate::LittlesLaw,
                "its service times add up to 4.70 requests in flight, but the origin had 5.00"
                    .to_owned()
            )
        );
        assert_eq!(
            why(verdict(timed(8_500_000), seen(50), quiet)).1,
            "its service times add up to 8.50 requests in flight, and 8 were allowed"
        );
        let few = ended(timed(9_000_000).stdout.replace(",10]]", ",9]]"));
        assert_eq!(
            why(verdict(few, seen(50), quiet)).1,
            "recorded 9 service times for 10 documents"
        );
    }

    #[test]
    fn delays_are_neither_early_nor_late() {
        let late = |p50| DelayError { min: 0, p50, p99: 90_000, max: 90_000 };
        let with = |p50, early| {
            let delay_error_us = late(p50);
            Stats { delays: 10, delays_early: early, delay_error_us, ..stats(10, 8) }
        };
        let verdict = |stats| verdict(right(), stats, Network::default());
        assert_eq!(verdict(with(2_000, 0)), None);
        let late = "half of the origin's delays of 20 ms were late by 2.1 ms or more".to_owned();
        assert_eq!(why(verdict(with(2_100, 0))), (Gate::Delay, late));
        assert_eq!(why(verdict(with(0, 1))).1, "the origin answered 1 times too early");
    }

    #[test]
    fn running_out_is_not_the_lanes_fault() {
        let quiet = Network::default();
        let origin = Stats { exhausted: 3, ..stats(10, 8) };
        let told = "the origin ran out of descriptors 3 times: raise ulimit -n".to_owned();
        assert_eq!(why(verdict(right(), origin, quiet)), (Gate::Exhaustion, told));
        let text = r#"{"protocol":1,"failed":{"why":"Too many open files (os error 24)"}}"#;
        let (gate, _) = why(verdict(ended(text.into()), stats(3, 3), quiet));
        assert!(gate == Gate::Exhaustion && !gate.is_failure());
    }

    #[test]
    fn an_open_loop_has_latencies_and_takes_its_time() {
        let told = |latencies: u64, sent: u64, wall_ns: u64| {
            let fields = format!("\"latencies_ns\":[[7,{latencies}]],\"sent_in_time\":{sent}");
            verdict_on_schedule(&format!("{fields},\"wall_ns\":{wall_ns}"))
        };
        assert_eq!(told(10, 3, 9_000_000), None, "late, but that is for the figures to say");
        let ignored = "told no latencies: it knows nothing of `arrivals`".to_owned();
        assert_eq!(verdict_on_schedule("\"wall_ns\":9000000"), Some((Gate::Schedule, ignored)));
        let why = |verdict: Option<(Gate, String)>| verdict.map(|(_, why)| why).unwrap_or_default();
        assert_eq!(why(told(9, 9, 9_000_000)), "told 9 latencies of 10 documents");
        assert_eq!(why(told(10, 11, 9_000_000)), "sent 11 documents of 10 in time");
        assert_eq!(
            why(told(10, 10, 8_900_000)),
            "was done after 8.9 ms, but the last document is due at 9.0 ms"
        );
    }

    #[test]
    fn a_lane_is_to_blame_for_its_answer_but_not_for_the_queue() {
        assert!(Gate::Answer.is_failure() && Gate::InTime.is_failure());
        assert!(!Gate::ListenQueue.is_failure() && !Gate::InFlightMost.is_failure());
    }
}
