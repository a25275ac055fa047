//! The answer to the question that a record was made for, in three sentences.
//!
//! Which lane to take for many waits, what it costs against a thread for each request, and from
//! which load on it pays. Each is made from verdicts and ranks, never from medians alone, and says
//! so where these cannot tell.

use harness::plan::Plan;
use harness::record::Recorded;
use harness::workload::Point;
use job::Client;

use crate::comparison::Metric;
use crate::inspected::Kind;
use crate::summary::{Group, Summary, WorkloadSummary};

mod verdicts;
mod words;

use verdicts::{against, firsts, pays_from, ranked, taken, tells_nothing, waits};
use words::{Times, at_once, kibibytes, listed, placed};

/// What every other lane is held against: the way that needs no runtime.
const THREADS: &str = "blocking/threads";

/// With fewer samples of each lane, a longer run may well tell more apart.
const SAMPLES_ENOUGH: usize = 6;

/// The answer, and what takes away from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Why it is not to be trusted as it stands; empty when nothing speaks against it.
    pub cautions: Vec<String>,
    /// What to take; what it costs; from when on it pays.
    pub sentences: [String; 3],
    /// The workload that it is mostly about.
    pub workload: Option<String>,
}

/// The answer that the record gives.
pub fn answer(recorded: &Recorded, summary: &Summary) -> Answer {
    let waits = Waits::most(&recorded.plan, summary);
    Answer {
        cautions: cautions(recorded, summary, waits.as_ref()),
        sentences: match &waits {
            None => too_small(),
            Some(waits) => [waits.what_to_take(), waits.what_it_costs(), waits.when_it_pays()],
        },
        workload: waits.map(|waits| {
            let loads = waits.loads(waits.group().client).map(|(workload, _)| workload);
            loads.unwrap_or(waits.workload).name.clone()
        }),
    }
}

fn too_small() -> [String; 3] {
    [
        "Which lane to take for many waits this record is too small to say: of no workload with a \
         wait were two lanes sampled three times or more.",
        "What they cost against threads cannot be told apart either.",
        "So it cannot say from which load on anything pays.",
    ]
    .map(str::to_owned)
}

fn cautions(recorded: &Recorded, summary: &Summary, waits: Option<&Waits<'_>>) -> Vec<String> {
    let mut cautions = Vec::new();
    let build = &recorded.environment.build;
    if !build.optimised || !build.features.is_empty() {
        cautions.push("The program was not built for measuring: its times mean nothing.".into());
    }
    match summary.failures().len() {
        0 => {}
        1 => cautions.push("The record is not sound: one cell has failed.".into()),
        count => cautions.push(format!("The record is not sound: {count} cells have failed.")),
    }
    let rows = waits.iter().flat_map(|waits| &waits.groups).flat_map(|group| &group.rows);
    let least = rows.filter(|row| row.figures.is_some()).map(|row| row.samples).min();
    if let Some(samples) = least.filter(|samples| *samples < SAMPLES_ENOUGH) {
        cautions.push(format!(
            "It rests on as few as {samples} samples of a lane: more may tell more apart."
        ));
    }
    cautions
}

/// Where most requests wait at once, of all that was measured.
struct Waits<'a> {
    plan: &'a Plan,
    summary: &'a Summary,
    workload: &'a WorkloadSummary,
    point: Point,
    /// One for each client.
    groups: Vec<&'a Group>,
    /// What to take, whichever way it was found.
    taken: Vec<&'a str>,
}

impl<'a> Waits<'a> {
    fn most(plan: &'a Plan, summary: &'a Summary) -> Option<Self> {
        let groups = summary.workloads.iter().flat_map(|w| w.groups.iter().map(move |g| (w, g)));
        let compares = |(workload, group): &(&WorkloadSummary, &Group)| {
            waits(plan, workload, group) && ranked(group, Metric::Wall).len() > 1
        };
        let load = |(_, group): &(&WorkloadSummary, &Group)| (at_once(group.point), group.point);
        let (workload, most) = groups.filter(compares).max_by_key(load)?;
        let is_there = |group: &&Group| {
            (group.point, group.placement) == (most.point, most.placement)
                && ranked(group, Metric::Wall).len() > 1
        };
        let groups: Vec<_> = workload.groups.iter().filter(is_there).collect();
        let taken = taken(&groups);
        Some(Waits { plan, summary, workload, point: most.point, groups, taken })
    }

    /// The group that costs are told of: what a lane's users write, where it was measured.
    fn group(&self) -> &'a Group {
        let library = self.groups.iter().find(|group| group.client == Client::Library);
        library.unwrap_or(&self.groups[0])
    }

    fn clients(&self) -> String {
        match self.groups[..] {
            [only] => format!("the {} client", only.client),
            _ => "either client".to_owned(),
        }
    }

    fn what_to_take(&self) -> String {
        let (delay_us, clients) =
            (self.plan.workload(&self.workload.name).delay_us, self.clients());
        let there = placed(self.point, delay_us);
        if self.groups.iter().all(|group| tells_nothing(group, Metric::Wall)) {
            let cpu = match &self.taken[..] {
                [] => "and CPU time does not tell them apart either".to_owned(),
                [lane] => format!("but {lane} takes no more CPU time than any other"),
                lanes => format!("but {} take no more CPU time than others", listed(lanes, "and")),
            };
            return format!(
                "For many waits the wall time does not decide: {there}, no lane is distinguishable \
                 from another with {clients}, {cpu}."
            );
        }
        match &self.taken[..] {
            [] => {
                let of_client = |group: &&Group| {
                    let lanes = firsts(group, Metric::Wall);
                    format!("{} with the {} client", listed(&lanes, "or"), group.client)
                };
                let each: Vec<_> = self.groups.iter().map(of_client).collect();
                let each: Vec<_> = each.iter().map(String::as_str).collect();
                format!(
                    "For many waits take {}: {there}, no lane is distinguishably faster.",
                    listed(&each, "and")
                )
            }
            lanes => {
                let these = if lanes.len() == 1 { "than it" } else { "than these" };
                format!(
                    "For many waits take {}: {there}, no lane is distinguishably faster {these} \
                     with {clients}.",
                    listed(lanes, "or")
                )
            }
        }
    }

    /// What is held against threads, with the client of [`group`](Self::group).
    fn against_threads(&self) -> Vec<&'a str> {
        let lanes = match &self.taken[..] {
            [] => firsts(self.group(), Metric::Wall),
            lanes => lanes.to_vec(),
        };
        lanes.into_iter().filter(|lane| *lane != THREADS).collect()
    }

    fn what_it_costs(&self) -> String {
        let (group, lanes) = (self.group(), self.against_threads());
        if !ranked(group, Metric::Wall).contains(&THREADS) {
            return format!(
                "What that costs against threads is not known: {THREADS} was not ranked."
            );
        }
        if lanes.is_empty() {
            return format!(
                "That is {THREADS} itself, so nothing is saved or paid against threads."
            );
        }
        let subject =
            if lanes.len() == 1 { format!("{} takes", lanes[0]) } else { "they take".into() };
        let metric = |metric, what| self.times(group, &lanes, metric).phrase(what);
        format!(
            "Against {THREADS} and with the {} client, {subject} {} and {}{}.",
            group.client,
            metric(Metric::Cpu, "CPU time"),
            metric(Metric::Rss, "peak memory"),
            self.bytes_a_task(&lanes),
        )
    }

    fn times(&self, group: &Group, lanes: &[&'a str], metric: Metric) -> Times<'a> {
        let of_lane = |lane: &&'a str| {
            let (pair, verdict) = against(group, lane, THREADS, metric)?;
            let ratio = pair.ratio?;
            let ratio = if pair.first == *lane { ratio } else { 1.0 / ratio };
            Some((*lane, ratio, verdict))
        };
        Times(lanes.iter().filter_map(of_lane).collect())
    }

    /// What one more waiting task holds, where that is known.
    fn bytes_a_task(&self, lanes: &[&str]) -> String {
        let client = self.group().client;
        let slope = |lane: &str| {
            let inspected = self.summary.workloads.iter().find_map(|w| {
                w.inspected.as_ref().filter(|inspected| !inspected.per_task.is_empty())
            })?;
            let of = inspected.per_task.iter().find(|of| of.client == client && of.lane == lane)?;
            Some(of.slopes.get(&Kind::Rss)?.slope)
        };
        let own: Vec<_> = lanes.iter().filter_map(|lane| slope(lane)).collect();
        match slope(THREADS) {
            Some(threads) if own.len() == lanes.len() => format!(
                "; one more waiting task holds {} resident instead of {}",
                kibibytes(&own),
                kibibytes(&[threads])
            ),
            _ => String::new(),
        }
    }

    fn when_it_pays(&self) -> String {
        let (client, lanes) = (self.group().client, self.against_threads());
        let Some((workload, groups)) = self.loads(client) else {
            return "From which load on it pays cannot be said: no workload with a wait was measured \
                    at more than one load."
                .to_owned();
        };
        if lanes.is_empty() {
            return "So there is no load from which on anything else pays.".to_owned();
        }
        let load = |group: &Group| words::load(workload, group.point);
        let (least, most) = (groups[0], groups[groups.len() - 1]);
        let wall = match pays_from(&groups, &lanes, Metric::Wall) {
            Some(0) => {
                format!("In wall time it pays at every load from {} to {}", load(least), load(most))
            }
            Some(first) => format!("In wall time it pays from {} on", load(groups[first])),
            None => format!(
                "In wall time it pays nowhere up to {}: there it is not distinguishably faster than \
                 {THREADS}",
                load(most)
            ),
        };
        let cpu = match pays_from(&groups, &lanes, Metric::Cpu) {
            Some(first) => format!("in CPU time from {} on", load(groups[first])),
            None => "in CPU time at no load for certain".to_owned(),
        };
        let is_alike = |group: &&&Group| tells_nothing(group, Metric::Wall);
        let alike: Vec<_> = groups.iter().filter(is_alike).map(|group| load(group)).collect();
        let alike: Vec<_> = alike.iter().map(String::as_str).collect();
        let alike = match &alike[..] {
            [] => String::new(),
            some => format!(
                "; at {} the wall times of all lanes are not distinguishable",
                listed(some, "and")
            ),
        };
        format!("{wall}; {cpu}{alike} ({}, {client} client).", workload.name)
    }

    /// The groups of one client over several loads: of the same workload, or else of the one that
    /// has most of them.
    fn loads(&self, client: Client) -> Option<(&'a WorkloadSummary, Vec<&'a Group>)> {
        let placement = self.group().placement;
        let over_loads = |workload: &'a WorkloadSummary| {
            let is_it = |group: &&Group| {
                (group.client, group.placement) == (client, placement)
                    && waits(self.plan, workload, group)
                    && ranked(group, Metric::Wall).len() > 1
            };
            let mut groups: Vec<_> = workload.groups.iter().filter(is_it).collect();
            groups.sort_by_key(|group| group.point);
            (workload, groups)
        };
        let own = over_loads(self.workload);
        let others = self.summary.workloads.iter().map(over_loads);
        let most = || others.max_by_key(|(_, groups)| groups.len());
        let found = if own.1.len() > 1 { Some(own) } else { most() };
        found.filter(|(_, groups)| groups.len() > 1)
    }
}

#[cfg(test)]
mod tests;
