//! Samples of one cell as numbers: medians over the rounds that count.

use load::Outcome;
use serde::Serialize;
use serving::Sample;
use serving::sample::Step;
use serving::scene::{Kind, Scene};

use crate::stats::{Interval, Spread, median_interval, quantile};

/// How sure an interval is.
const LEVEL: f64 = 0.95;

/// One page of memory is not seen, and neither is a tenth of the connections.
const HELD_PART_LEAST: f64 = 0.1;

/// A latency that people feel, nanoseconds.
const FELT_NS: u64 = 100_000_000;

const MIB: f64 = 1_048_576.0;

/// Of values, one a round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Middle {
    /// The median.
    pub median: f64,
    /// The median absolute deviation; `None` of a single value.
    pub deviation: Option<f64>,
    /// Where the true median lies, at 95 %; `None` of fewer than six values.
    pub interval: Option<Interval>,
}

/// What the samples of one cell add up to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "load", rename_all = "kebab-case")]
pub enum Figures {
    /// All clients at the same moment.
    AtOnce(AtOnce),
    /// Each client again when its last answer has come; a ceiling is one as well.
    Closed(Closed),
    /// At a rate.
    Open(Open),
    /// Connections that stay, idle or waiting.
    Held(Held),
}

/// Clients at the same moment, each with one request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtOnce {
    /// Until the last has its answer, milliseconds.
    pub wall_ms: Middle,
    /// The median of the service times, milliseconds.
    pub service_ms_p50: Option<Middle>,
    /// The longest service time, milliseconds.
    pub service_ms_max: Option<Middle>,
    /// CPU time of the server for all of them, milliseconds.
    pub cpu_ms: Option<Middle>,
    /// What the server holds after it, each page that is shared counted once.
    pub memory_mib: Option<Middle>,
}

/// Clients who ask again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Closed {
    /// Documents that came, in each second.
    pub documents_per_s: Middle,
    /// CPU time of the server for each, microseconds.
    pub cpu_us_per_document: Option<Middle>,
    /// Documents for each second of the server's CPU time.
    pub documents_per_cpu_s: Option<Middle>,
    /// The median of the service times, milliseconds.
    pub service_ms_p50: Option<Middle>,
    /// Their 99th percentile, milliseconds.
    pub service_ms_p99: Option<Middle>,
    /// CPU time of the clients for each document, microseconds.
    pub client_cpu_us_per_document: Option<Middle>,
    /// Requests without an answer, of all, from 0 to 1.
    pub unanswered_part: Middle,
}

/// Requests at a rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Open {
    /// Requests that were asked for, in each second.
    pub rate: Option<Middle>,
    /// The median of the latencies, milliseconds, from when a request was due. Those of requests
    /// without an answer are not in it.
    pub latency_ms_p50: Option<Middle>,
    /// Their 99th percentile, milliseconds.
    pub latency_ms_p99: Option<Middle>,
    /// The longest, milliseconds.
    pub latency_ms_max: Option<Middle>,
    /// How late the clients themselves were to send, 99th percentile, milliseconds.
    pub late_ms_p99: Option<Middle>,
    /// Requests whose answer took more than 100 ms, or never came, of all, from 0 to 1.
    pub felt_part: Option<Middle>,
    /// How long the request took that blocks, milliseconds.
    pub blocker_ms: Option<Middle>,
    /// CPU time of the server for each document, microseconds.
    pub cpu_us_per_document: Option<Middle>,
    /// Requests without an answer, of all, from 0 to 1.
    pub unanswered_part: Middle,
}

/// Connections that stay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// What the server holds after the first step, each page that is shared counted once.
    pub first_mib: Middle,
    /// What its processes hold for themselves alone, after the first step.
    pub first_private_mib: Middle,
    /// The slope of the first of these over the connections; `None` where none are kept.
    pub kib_per_connection: Option<Middle>,
    /// Whether the server closes each connection after its answer, and so holds none.
    pub closes_each: bool,
    /// How many processes it has.
    pub processes: Option<Middle>,
    /// Each step.
    pub steps: Vec<HeldStep>,
}

/// Memory with so many connections.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HeldStep {
    /// Connections that clients have opened.
    pub connections: u64,
    /// Those of them that the server has not closed.
    pub open: f64,
    /// What it holds.
    pub mib: f64,
}

impl Middle {
    /// Of `values`; `None` when there is none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let Spread { median, deviation } = Spread::of(values)?;
        Some(Middle { median, deviation, interval: median_interval(values, LEVEL) })
    }
}

impl Figures {
    /// Documents for each second of the server's CPU time, where clients ask again.
    pub fn documents_per_cpu_s(&self) -> Option<Middle> {
        self.closed()?.documents_per_cpu_s
    }

    /// The figures, where all come at once.
    pub fn at_once(&self) -> Option<&AtOnce> {
        if let Figures::AtOnce(figures) = self { Some(figures) } else { None }
    }

    /// The figures, where clients ask again.
    pub fn closed(&self) -> Option<&Closed> {
        if let Figures::Closed(figures) = self { Some(figures) } else { None }
    }

    /// The figures, where there is a rate.
    pub fn open(&self) -> Option<&Open> {
        if let Figures::Open(figures) = self { Some(figures) } else { None }
    }

    /// The figures, where connections stay.
    pub fn held(&self) -> Option<&Held> {
        if let Figures::Held(figures) = self { Some(figures) } else { None }
    }

    /// Requests without an answer, of all, from 0 to 1.
    pub fn unanswered_part(&self) -> f64 {
        match self {
            Figures::Closed(Closed { unanswered_part, .. })
            | Figures::Open(Open { unanswered_part, .. }) => unanswered_part.median,
            Figures::AtOnce(_) | Figures::Held(_) => 0.0,
        }
    }
}

/// Of samples that count, all of one cell of `scene`.
pub(crate) fn figures(scene: &Scene, samples: &[&Sample]) -> Option<Figures> {
    let is_ceiling = samples.first()?.cell.point.is_ceiling();
    match scene.load {
        Kind::AtOnce => at_once(samples).map(Figures::AtOnce),
        Kind::Closed => closed(scene, samples).map(Figures::Closed),
        Kind::Open if is_ceiling => closed(scene, samples).map(Figures::Closed),
        Kind::Open => open(samples).map(Figures::Open),
        Kind::Idle | Kind::Waiting => held(scene.load, samples).map(Figures::Held),
    }
}

/// The middle of what each sample says, if it says anything.
fn middle(samples: &[&Sample], of: impl Fn(&Sample) -> Option<f64>) -> Option<Middle> {
    Middle::of(&samples.iter().filter_map(|sample| of(sample)).collect::<Vec<_>>())
}

/// The same of what the clients saw.
fn seen(samples: &[&Sample], of: impl Fn(&Outcome) -> Option<f64>) -> Option<Middle> {
    middle(samples, |sample| of(sample.clients.as_ref()?))
}

fn at_once(samples: &[&Sample]) -> Option<AtOnce> {
    let service_ms = |part| seen(samples, |outcome| quantile_ms(&outcome.service_times_ns, part));
    let memory = |sample: &Sample| Some(sample.server?.held.proportional_bytes as f64 / MIB);
    Some(AtOnce {
        wall_ms: seen(samples, |outcome| Some(outcome.wall_ns as f64 / 1e6))?,
        service_ms_p50: service_ms(0.5),
        service_ms_max: service_ms(1.0),
        cpu_ms: middle(samples, |sample| Some(sample.server?.cpu_us as f64 / 1e3)),
        memory_mib: middle(samples, memory),
    })
}

fn closed(scene: &Scene, samples: &[&Sample]) -> Option<Closed> {
    let service_ms = |part| seen(samples, |outcome| quantile_ms(&outcome.service_times_ns, part));
    let client_cpu_us = |outcome: &Outcome| per(outcome.cpu_us as f64, outcome.answered as f64);
    Some(Closed {
        documents_per_s: middle(samples, |sample| documents_per_s(scene, sample))?,
        cpu_us_per_document: middle(samples, cpu_us_per_document),
        documents_per_cpu_s: middle(samples, documents_per_cpu_s),
        service_ms_p50: service_ms(0.5),
        service_ms_p99: service_ms(0.99),
        client_cpu_us_per_document: seen(samples, client_cpu_us),
        unanswered_part: seen(samples, unanswered_part)?,
    })
}

fn open(samples: &[&Sample]) -> Option<Open> {
    let latency_ms = |part| seen(samples, |outcome| quantile_ms(&outcome.latencies_ns, part));
    Some(Open {
        rate: middle(samples, |sample| sample.rate.map(|rate| rate as f64)),
        latency_ms_p50: latency_ms(0.5),
        latency_ms_p99: latency_ms(0.99),
        latency_ms_max: latency_ms(1.0),
        late_ms_p99: seen(samples, |outcome| quantile_ms(&outcome.late_ns, 0.99)),
        felt_part: seen(samples, felt_part),
        blocker_ms: seen(samples, |outcome| outcome.blocker_ns.map(|ns| ns as f64 / 1e6)),
        cpu_us_per_document: middle(samples, cpu_us_per_document),
        unanswered_part: seen(samples, unanswered_part)?,
    })
}

fn held(kind: Kind, samples: &[&Sample]) -> Option<Held> {
    let first = |of: fn(&Step) -> u64| {
        middle(samples, |sample| Some(of(sample.steps.first()?) as f64 / MIB))
    };
    let closing = samples.iter().filter(|sample| closes_each(sample)).count();
    Some(Held {
        first_mib: first(|step| step.held.proportional_bytes)?,
        first_private_mib: first(|step| step.held.private_bytes)?,
        kib_per_connection: middle(samples, |sample| kib_per_connection(kind, sample)),
        closes_each: closing * 2 > samples.len(),
        processes: middle(samples, |sample| Some(sample.server?.processes as f64)),
        steps: steps(samples),
    })
}

/// The medians of each step.
fn steps(samples: &[&Sample]) -> Vec<HeldStep> {
    let numbers = samples.first().map(|sample| sample.steps.as_slice()).unwrap_or_default();
    let of = |connections: u64| {
        let own = |sample: &Sample| {
            sample.steps.iter().find(|step| step.connections == connections).copied()
        };
        let open = middle(samples, |sample| Some(own(sample)?.open as f64))?.median;
        let bytes = |sample: &Sample| Some(own(sample)?.held.proportional_bytes as f64 / MIB);
        Some(HeldStep { connections, open, mib: middle(samples, bytes)?.median })
    };
    numbers.iter().filter_map(|step| of(step.connections)).collect()
}

/// Documents that came in each second of the scene's time, or of the time until the last came.
pub(crate) fn documents_per_s(scene: &Scene, sample: &Sample) -> Option<f64> {
    let outcome = sample.clients.as_ref()?;
    let seconds = (outcome.wall_ns as f64 / 1e9).max(scene.for_ms as f64 / 1e3);
    per(outcome.answered as f64, seconds)
}

/// Documents for each second of the server's CPU time.
pub(crate) fn documents_per_cpu_s(sample: &Sample) -> Option<f64> {
    per(sample.clients.as_ref()?.answered as f64, sample.server?.cpu_us as f64 / 1e6)
}

fn cpu_us_per_document(sample: &Sample) -> Option<f64> {
    per(sample.server?.cpu_us as f64, sample.clients.as_ref()?.answered as f64)
}

/// What each connection adds to what the server holds. Where connections are idle, those count that
/// the server has kept; where they wait, all have a handler of their own.
pub(crate) fn kib_per_connection(kind: Kind, sample: &Sample) -> Option<f64> {
    if closes_each(sample) {
        return None;
    }
    let connections = |step: &Step| if kind == Kind::Idle { step.open } else { step.connections };
    let point =
        |step: &Step| (connections(step) as f64, step.held.proportional_bytes as f64 / 1_024.0);
    slope(&sample.steps.iter().map(point).collect::<Vec<_>>())
}

/// Whether next to nothing of what clients have opened was kept.
fn closes_each(sample: &Sample) -> bool {
    sample
        .steps
        .last()
        .is_some_and(|step| (step.open as f64) < HELD_PART_LEAST * step.connections as f64)
}

/// Of the line with the least squares; `None` without two different x.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let common: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (spread > 0.0).then(|| common / spread)
}

fn unanswered_part(outcome: &Outcome) -> Option<f64> {
    let Outcome { answered, failed, unanswered, .. } = outcome;
    per(*unanswered as f64, (answered + failed + unanswered) as f64)
}

fn felt_part(outcome: &Outcome) -> Option<f64> {
    let felt = outcome.latencies_ns.iter().filter(|(ns, _)| *ns > FELT_NS);
    let felt = felt.map(|(_, count)| count).sum::<u64>() + outcome.unanswered;
    let came: u64 = outcome.latencies_ns.iter().map(|(_, count)| count).sum();
    per(felt as f64, (came + outcome.unanswered) as f64)
}

fn quantile_ms(counts: &[(u64, u64)], part: f64) -> Option<f64> {
    Some(quantile(counts, part)? as f64 / 1e6)
}

/// `None` of nothing, which no number of something comes to.
fn per(value: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| value / of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::fixture;

    #[test]
    fn a_slope_is_that_of_the_least_squares() {
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]), Some(2.0));
        // By hand: means 1 and 2, so (-1)(-2) + 0 + 1 × 2 = 4 over 2.
        assert_eq!(slope(&[(0.0, 0.0), (1.0, 2.0), (2.0, 4.0)]), Some(2.0));
        assert_eq!(slope(&[(0.0, 0.0), (1.0, 3.0), (2.0, 3.0)]), Some(1.5));
        assert_eq!(slope(&[(5.0, 1.0), (5.0, 2.0)]), None);
        assert_eq!(slope(&[]), None);
    }

    #[test]
    fn intervals_need_six_rounds() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(Middle::of(&values[..5]).unwrap().interval, None);
        let interval = Middle::of(&values).unwrap().interval;
        assert_eq!(interval, Some(Interval { low: 1.0, high: 6.0 }));
    }

    #[test]
    fn who_closes_each_connection_holds_none() {
        let step = |connections, open| fixture::step(connections, open, 10 << 20);
        let kept = fixture::held([step(100, 100), step(200, 200)]);
        let closed = fixture::held([step(100, 0), step(200, 1)]);
        assert_eq!(kib_per_connection(Kind::Idle, &closed), None);
        assert_eq!(kib_per_connection(Kind::Idle, &kept), Some(0.0));
    }

    #[test]
    fn idle_connections_count_while_they_are_open() {
        // 10 KiB each, of which the server has closed some.
        let steps = [(100, 50), (200, 150), (300, 250)];
        let steps = steps.map(|(asked, open)| fixture::step(asked, open, open * 10_240));
        assert_eq!(kib_per_connection(Kind::Idle, &fixture::held(steps)), Some(10.0));
    }

    #[test]
    fn requests_without_an_answer_are_felt() {
        let outcome = Outcome {
            latencies_ns: vec![(5_000_000, 6), (FELT_NS + 1, 2)],
            unanswered: 2,
            answered: 8,
            ..Outcome::default()
        };
        assert_eq!((felt_part(&outcome), unanswered_part(&outcome)), (Some(0.4), Some(0.2)));
    }
}
