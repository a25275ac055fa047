//! A lane at a glance.

use harness::number::grouped;
use harness::plan::PlannedLane;
use harness::record::Recorded;
use job::Client;
use maud::{Markup, html};

use super::data::{lane_ids, shown_timelines};
use super::html::swatch;
use crate::cells::{self, NOTHING, three_digits};
use crate::comparison::Metric;
use crate::inspected::Kind;
use crate::stats::slope::Slope;
use crate::summary::{Group, Row, Summary, WorkloadSummary};

const MIB: f64 = 1024.0 * 1024.0;

pub(super) fn section(recorded: &Recorded, summary: &Summary, about: Option<&str>) -> Markup {
    let headline = headline(summary, about);
    html! {
        section #lanes aria-labelledby="lanes-head" {
            h2 #lanes-head { "Lanes" }
            @if let Some((workload, groups)) = &headline {
                p.lead {
                    "Figures are those of " b { (workload.name) } " at "
                    (head_without_client(groups[0])) ". A rank is one more than the number of lanes \
                    that are distinguishably less; = is a rank that lanes share."
                }
            }
            div.cards {
                @for id in lane_ids(summary) {
                    (card(recorded, summary, headline.as_ref(), id))
                }
            }
        }
    }
}

/// What the headline figures are of: the most requests in flight of the workload that the answer is
/// about, or of the first that was run.
fn headline<'a>(
    summary: &'a Summary,
    about: Option<&str>,
) -> Option<(&'a WorkloadSummary, Vec<&'a Group>)> {
    let has_rows = |w: &&WorkloadSummary| {
        w.groups.iter().flat_map(|group| &group.rows).any(|row| row.figures.is_some())
    };
    let mut run = summary.workloads.iter().filter(has_rows);
    let first = run.clone().next();
    let workload = run.find(|workload| Some(workload.name.as_str()) == about).or(first)?;
    let largest = workload.groups.iter().max_by_key(|g| (g.point.concurrency, g.point))?;
    let is_it =
        |group: &&Group| (group.point, group.placement) == (largest.point, largest.placement);
    Some((workload, workload.groups.iter().filter(is_it).collect()))
}

fn head_without_client(group: &Group) -> String {
    cells::group_head(group).replace(&format!(" {}", group.client), "")
}

type Headline<'a> = (&'a WorkloadSummary, Vec<&'a Group>);

fn card(
    recorded: &Recorded,
    summary: &Summary,
    headline: Option<&Headline<'_>>,
    id: &str,
) -> Markup {
    let planned = recorded.plan.lanes.iter().find(|lane| lane.id == id);
    html! {
        article.card data-lane=(id) {
            h3 { (swatch(id)) (id) }
            dl {
                @if let Some(PlannedLane { waits, mirrors, .. }) = planned {
                    dt { "waits" } dd { (waits) }
                    dt { "in the articles" } dd { (mirrors) }
                }
                dt { "threads" } dd { (threads(recorded, summary, id)) }
                dt { "ranked first" } dd { (firsts(summary, id)) }
            }
            @if let Some((workload, groups)) = headline { (figures(workload, groups, id)) }
        }
    }
}

/// As far as anybody has looked.
fn threads(recorded: &Recorded, summary: &Summary, id: &str) -> String {
    let inspected = summary.workloads.iter().filter_map(|workload| {
        let inspected = workload.inspected.as_ref()?;
        let of_lane = inspected.rows.iter().filter(|row| row.lane == id);
        let threads = of_lane
            .filter_map(|row| row.threads)
            .fold(None, |most: Option<f64>, one| Some(most.map_or(one, |most| most.max(one))))?;
        Some((threads, &workload.name, inspected.point?))
    });
    if let Some((threads, workload, point)) = inspected.max_by(|a, b| a.0.total_cmp(&b.0)) {
        let (threads, c) = (grouped(threads as u64), grouped(point.concurrency));
        return format!("{threads} at most, with C = {c} ({workload})");
    }
    let seen = shown_timelines(recorded).filter(|timeline| timeline.cell.lane == id);
    let counted = seen.map(|timeline| {
        let mut threads: Vec<_> = timeline.requests.iter().map(|r| r.thread).collect();
        threads.sort_unstable();
        threads.dedup();
        (threads.len(), timeline.cell.point.concurrency)
    });
    match counted.max() {
        Some((1, c)) => format!("one parses all answers, with C = {c}"),
        Some((threads, c)) => format!("{threads} parse answers, with C = {c}"),
        None => "not counted; --inspect counts them".to_owned(),
    }
}

/// In how many groups no lane is distinguishably less than it.
fn firsts(summary: &Summary, id: &str) -> String {
    let ranked = |metric: Metric| {
        let rows = summary.cells().filter(|(_, _, row)| row.lane == id);
        let ranks = rows.filter_map(|(_, _, row)| row.ranks.get(&metric));
        let (all, first) =
            ranks.fold((0, 0), |(all, first), rank| (all + 1, first + usize::from(rank.rank == 1)));
        (all > 0).then(|| format!("{} in {first} of {all}", metric.name()))
    };
    let told: Vec<_> = Metric::ALL.into_iter().filter_map(ranked).collect();
    if told.is_empty() { "not ranked".to_owned() } else { told.join(", ") }
}

/// One of a row's figures, with its rank.
type Text = fn(&Row) -> String;

fn figures(workload: &WorkloadSummary, groups: &[&Group], id: &str) -> Markup {
    let row = |client: Client| {
        let group = groups.iter().find(|group| group.client == client)?;
        group.rows.iter().find(|row| row.lane == id)
    };
    let clients: Vec<_> = groups.iter().map(|group| group.client).collect();
    let time: (&str, Text) =
        if workload.is_open_loop() { ("p99 ms", latency) } else { ("wall ms", wall) };
    let shown: [(&str, Text); 3] = [time, ("CPU µs", cpu), ("RSS MiB", rss)];
    html! {
        table {
            caption.quiet { "Headline figures of " (id) }
            thead { tr { th scope="col" {} @for client in &clients { th.number scope="col" { (client) } } } }
            tbody {
                @for (name, text) in &shown {
                    tr {
                        th scope="row" { (name) }
                        @for client in &clients {
                            td.number { (row(*client).map_or(NOTHING.to_owned(), text)) }
                        }
                    }
                }
                @if workload.inspected.as_ref().is_some_and(|found| !found.per_task.is_empty()) {
                    tr {
                        th scope="row" { "bytes a task" }
                        @for client in &clients { td.number { (bytes_a_task(workload, *client, id)) } }
                    }
                }
            }
        }
    }
}

fn with_rank(row: &Row, metric: Metric, value: Option<f64>) -> String {
    let Some(value) = value else { return NOTHING.to_owned() };
    match cells::rank(row, metric) {
        rank if rank == NOTHING => three_digits(value),
        rank => format!("{} (rank {rank})", three_digits(value)),
    }
}

fn wall(row: &Row) -> String {
    with_rank(row, Metric::Wall, row.figures.as_ref().map(|figures| figures.wall_ms.median))
}

fn cpu(row: &Row) -> String {
    with_rank(
        row,
        Metric::Cpu,
        row.figures.as_ref().and_then(|figures| figures.cpu_us_per_document),
    )
}

fn rss(row: &Row) -> String {
    let bytes = row.figures.as_ref().and_then(|figures| figures.rss_bytes_above_floor);
    with_rank(row, Metric::Rss, bytes.map(|bytes| bytes / MIB))
}

fn latency(row: &Row) -> String {
    let figures = row.figures.as_ref().and_then(|figures| figures.open_loop.as_ref());
    figures.and_then(|open| open.latency_ms_p99).map_or(NOTHING.to_owned(), three_digits)
}

fn bytes_a_task(workload: &WorkloadSummary, client: Client, id: &str) -> String {
    let lanes = workload.inspected.iter().flat_map(|inspected| &inspected.per_task);
    let mut lanes = lanes.filter(|lane| lane.client == client && lane.lane == id);
    match lanes.next().and_then(|lane| lane.slopes.get(&Kind::Rss)) {
        None => NOTHING.to_owned(),
        Some(Slope { slope, .. }) => grouped(slope.round().max(0.0) as u64),
    }
}
