//! The gates that a sample must pass to count.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use job::{Answer, Completed, Outcome, OutcomeResult};
use origin::{Server, Stats};
use serde::{Deserialize, Serialize};

use crate::lane_process::Ended;
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
    /// Met no listen queue that was full, which costs a connection a second.
    ListenQueue,
}

impl Gate {
    /// Whether the lane is to blame, and not the machine.
    pub fn is_failure(self) -> bool {
        matches!(self, Gate::Ended | Gate::InTime | Gate::Completed | Gate::Answer)
    }
}

/// What a sample is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The cell and what it promises.
    pub cell: &'a PlannedCell,
    /// The right answer.
    pub answer: &'a Answer,
    /// How long the lane had.
    pub limit: Duration,
}

/// Makes a sample of what came back, and says whether it counts.
pub fn judge(
    expected: &Expected<'_>,
    ended: Ended,
    origin: Option<Stats>,
    network: Network,
) -> Sample {
    let outcome = completed(&ended, expected.limit);
    let void = match &outcome {
        Err(void) => Some(void.clone()),
        Ok(completed) => gates(expected, completed, origin.as_ref(), &network),
    };
    let job = outcome.ok().map(|completed| JobMeasured {
        wall_ns: completed.wall_ns,
        usage: completed.usage,
        rss_bytes_peak: completed.rss_bytes_peak,
        service_times_ns: completed.service_times_ns,
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
        origin,
        network,
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
        Ok(OutcomeResult::Failed(failed)) => void(Gate::Completed, format!("failed: {failed}")),
        Err(error) => void(Gate::Ended, format!("wrote no outcome: {error}{}", said())),
    }
}

/// The first gate that a completed job does not pass.
fn gates(
    expected: &Expected<'_>,
    completed: &Completed,
    origin: Option<&Stats>,
    network: &Network,
) -> Option<Void> {
    let PlannedCell { cell, in_flight_least, .. } = expected.cell;
    let void = |gate, why| Some(Void { gate, why });
    if let Some(difference) = completed.answer.difference(expected.answer) {
        return void(Gate::Answer, format!("answered wrong: {difference}"));
    }
    if let Some(Stats { requests, in_flight_peak, .. }) = origin {
        let (documents, concurrency) = (expected.answer.documents, cell.point.concurrency);
        let peak = grouped(*in_flight_peak);
        if *in_flight_peak > concurrency {
            let why = format!("had {peak} requests in flight, allowed {}", grouped(concurrency));
            return void(Gate::InFlightMost, why);
        }
        if in_flight_peak < in_flight_least {
            let why = format!("had {peak} requests in flight, not {}", grouped(*in_flight_least));
            return void(Gate::InFlightLeast, why);
        }
        if *requests != documents {
            let (requests, documents) = (grouped(*requests), grouped(documents));
            let why = format!("made {requests} requests for {documents} documents");
            return void(Gate::Requests, why);
        }
    }
    // The counter is the whole machine's, so an overflow is only ours if one of our connections
    // waited for its retransmission.
    let slowest_ns = completed.service_times_ns.iter().map(|(value, _)| *value).max().unwrap_or(0);
    (network.listen_overflows > 0 && slowest_ns >= SYN_RETRANSMISSION_NS).then(|| {
        let minihttp = origin.is_some_and(|stats| stats.server == Server::MayMinihttp.name());
        let of = if minihttp { " of may_minihttp, which is 1,024 long," } else { "" };
        let seconds = slowest_ns as f64 / 1e9;
        let why = format!("a connection found the listen queue{of} full and took {seconds:.1} s");
        Void { gate: Gate::ListenQueue, why }
    })
}

/// How long the kernel waits before it asks for a connection again (RFC 6298, section 2.1).
const SYN_RETRANSMISSION_NS: u64 = 1_000_000_000;

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use job::{Client, OutcomeResult, PROTOCOL_VERSION, Usage};
    use origin::DelayError;

    use super::*;
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
        Ended { wake, status, measured: process, stdout, stderr: "one\n\ntwo\n".into() }
    }

    fn outcome(answer: Answer) -> String {
        let completed = Completed {
            answer,
            wall_ns: 5,
            service_times_ns: vec![(1, 1)],
            usage: None,
            rss_bytes_peak: None,
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
            bytes_sent: 0,
            delays: 0,
            delays_early: 0,
            delay_error_us: DelayError::default(),
            cpu_us: 0,
        }
    }

    /// Ten documents with at most eight in flight, of which four are promised.
    fn verdict(ended: Ended, stats: Stats, network: Network) -> Option<(Gate, String)> {
        let cell = Cell {
            workload: "w".into(),
            point: Point { documents: 10, concurrency: 8 },
            client: Client::Raw,
            lane: "a/b".into(),
        };
        let cell = PlannedCell { cell, in_flight_least: 4, not_run: None };
        let answer = Answer { documents: 10, ..Answer::new(10) };
        let expected = Expected { cell: &cell, answer: &answer, limit: LIMIT };
        let sample = judge(&expected, ended, Some(stats), network);
        sample.void.map(|void| (void.gate, void.why))
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
        let late = right().stdout.replace("[[1,1]]", "[[1020000000,1]]");
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

    #[test]
    fn a_lane_is_to_blame_for_its_answer_but_not_for_the_queue() {
        assert!(Gate::Answer.is_failure() && Gate::InTime.is_failure());
        assert!(!Gate::ListenQueue.is_failure() && !Gate::InFlightMost.is_failure());
    }
}
