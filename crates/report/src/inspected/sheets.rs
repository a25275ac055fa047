//! What was found, as sheets of text: the same for every form.

use std::cmp::Ordering;

use harness::number::grouped;
use job::Client;

use super::{Inspected, InspectedRow, Kind, PerTask};
use crate::cells::NOTHING;
use crate::sheet::{Line, Sheet};
use crate::stats::Interval;
use crate::stats::slope::Slope;

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;

/// How many names of system calls a line has.
const NAMES: usize = 4;

/// The sheets that there is something to show on.
pub fn sheets(inspected: &Inspected) -> Vec<Sheet> {
    let mut sheets = Vec::new();
    if let Some(point) = inspected.point.filter(|_| !inspected.rows.is_empty()) {
        let point = format!("N={} C={}", grouped(point.documents), grouped(point.concurrency));
        sheets.push(memory(inspected, &point));
        sheets.push(work(inspected, &point));
    }
    if !inspected.per_task.is_empty() {
        sheets.push(per_task(&inspected.per_task));
    }
    if let Some(last) = sheets.last_mut() {
        last.notes.extend(inspected.notes.iter().map(|note| sentence(note)));
    }
    sheets
}

fn head(kind: Kind) -> &'static str {
    match kind {
        Kind::Rss => "RSS",
        Kind::Anonymous => "anon",
        Kind::Private => "private",
        Kind::Live => "live",
        Kind::PageTables => "tables",
        Kind::KernelStacks => "stacks",
        Kind::TcpBuffers => "TCP",
        Kind::KernelObjects => "slab",
        Kind::AddressSpace => "address",
    }
}

fn memory(inspected: &Inspected, point: &str) -> Sheet {
    let rows = &inspected.rows;
    let kinds = shown(|kind| rows.iter().any(|row| row.held_bytes.contains_key(&kind)));
    let line = |row: &InspectedRow| {
        let held = kinds
            .iter()
            .map(|kind| optional(row.held_bytes.get(kind).map(|bytes| bytes / MIB), short));
        let counts = [row.threads, row.tcp_sockets];
        let counts = counts.map(|count| optional(count, |count| grouped(count as u64)));
        cells(&row.lane, held.chain(counts))
    };
    Sheet {
        title: format!("Memory by kind at {point}, MiB"),
        heads: heads(&kinds, &["threads", "sockets"]),
        lines: in_groups(rows, |row| row.client, |row| vec![line(row)]),
        notes: vec![
            "Each the most that was seen of its kind, less that of a process without a lane; not \
             all at the same moment, so nothing here adds up. anon, private: parts of RSS. live: \
             of the allocator. tables: page tables. stacks: the kernel's, of all threads. TCP, slab, sockets: buffers, the \
             kernel's own objects and TCP sockets of the whole machine, the origin's ends \
             included. address: reserved."
                .to_owned(),
        ],
    }
}

fn work(inspected: &Inspected, point: &str) -> Sheet {
    let rows = &inspected.rows;
    let counted = rows.iter().any(|row| row.allocations_per_document.is_some());
    let line = |row: &InspectedRow| {
        let (total, errors, names) = calls(row);
        let allocated = [
            optional(row.allocations_per_document, short),
            optional(row.allocated_bytes_per_document.map(|bytes| bytes / KIB), short),
        ];
        let allocated = allocated.into_iter().take(if counted { 2 } else { 0 });
        cells(&row.lane, [total, errors].into_iter().chain(allocated).chain([names]))
    };
    let allocated = if counted { &["allocs", "KiB"][..] } else { &[] };
    let heads = ["lane", "calls", "errors"].iter().chain(allocated).chain(&["most often"]);
    Sheet {
        title: format!("What a document takes at {point}"),
        heads: heads.map(|head| (*head).to_owned()).collect(),
        lines: in_groups(rows, |row| row.client, |row| vec![line(row)]),
        notes: vec![
            "calls: system calls, less those of a process without a lane, of at most 2,000 \
             documents under strace, which slows the lane and so changes how often it waits. \
             errors: those of them that returned one; EAGAIN is one."
                .to_owned(),
        ],
    }
}

/// All calls, the errors among them, and the most frequent names.
fn calls(row: &InspectedRow) -> (String, String, String) {
    let calls = &row.calls_per_document;
    if calls.is_empty() {
        return (NOTHING.to_owned(), NOTHING.to_owned(), NOTHING.to_owned());
    }
    let total: f64 = calls.values().map(|calls| calls.calls).sum();
    let errors: f64 = calls.values().map(|calls| calls.errors).sum();
    let mut names: Vec<_> = calls.iter().map(|(name, calls)| (name, calls.calls)).collect();
    names.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap_or(Ordering::Equal));
    let names =
        names.iter().take(NAMES).map(|(name, calls)| format!("{name} {}", shortest(*calls)));
    (short(total), short(errors), names.collect::<Vec<_>>().join(", "))
}

fn per_task(lanes: &[PerTask]) -> Sheet {
    let has = |kind| lanes.iter().any(|lane: &PerTask| lane.slopes.contains_key(&kind));
    let kinds = shown(has);
    let lines = |lane: &PerTask| {
        let of = |text: &dyn Fn(&Slope) -> String| {
            let texts = kinds.iter().map(|kind| lane.slopes.get(kind).map(text));
            texts.map(|text| text.unwrap_or(NOTHING.to_owned())).collect::<Vec<_>>()
        };
        vec![
            cells(&lane.lane, of(&|line| short(line.slope / KIB))),
            cells("  95 % interval", of(&|line| between(line.interval))),
            cells("  at no task, MiB", of(&|line| short(line.intercept / MIB))),
        ]
    };
    let lines = in_groups(lanes, |lane| lane.client, lines);
    Sheet {
        title: "What a task costs, KiB".to_owned(),
        heads: heads(&kinds, &[]),
        lines,
        notes: vec![
            "Slope of bytes over tasks (N = C) by Theil and Sen, and where its line begins. RSS is \
             that of the timed samples."
                .to_owned(),
        ],
    }
}

/// What few points cannot bound has no ends.
fn between(interval: Option<Interval>) -> String {
    interval.map_or(NOTHING.to_owned(), |Interval { low, high }| {
        format!("{}–{}", shortest(low / KIB), shortest(high / KIB))
    })
}

/// The kinds that there are. All nine do not fit beside each other, and nearly all that is private
/// is anonymous.
fn shown(has: impl Fn(Kind) -> bool) -> Vec<Kind> {
    let fits = |kind: &Kind| *kind != Kind::Anonymous || !has(Kind::Live);
    Kind::ALL.into_iter().filter(|kind| has(*kind)).filter(fits).collect()
}

fn heads(kinds: &[Kind], more: &[&str]) -> Vec<String> {
    let kinds = kinds.iter().map(|kind| head(*kind));
    let all = std::iter::once("lane").chain(kinds).chain(more.iter().copied());
    all.map(str::to_owned).collect()
}

fn cells(lane: &str, others: impl IntoIterator<Item = String>) -> Line {
    Line::Cells(std::iter::once(lane.to_owned()).chain(others).collect())
}

/// The rows' lines, with the client above each group.
fn in_groups<T>(
    rows: &[T],
    client: impl Fn(&T) -> Client,
    lines: impl Fn(&T) -> Vec<Line>,
) -> Vec<Line> {
    let mut all = Vec::new();
    let groups = rows.chunk_by(|a, b| client(a) == client(b));
    for group in groups {
        all.push(Line::Group(client(&group[0]).name().to_owned()));
        all.extend(group.iter().flat_map(&lines));
    }
    all
}

fn optional(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or(NOTHING.to_owned(), text)
}

/// Three digits at most that mean something, of numbers that may be below zero.
fn short(value: f64) -> String {
    match value.abs() {
        // Below zero it would be shown as minus zero.
        size if size < 0.005 => "0.00".to_owned(),
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Two digits, for two numbers in one column.
fn shortest(value: f64) -> String {
    if value.abs() < 0.05 {
        // Below zero it would be shown as minus zero.
        "0.0".to_owned()
    } else if value.abs() < 9.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

fn sentence(note: &str) -> String {
    let mut characters = note.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str())
}

#[cfg(test)]
mod tests {
    use harness::workload::Point;

    use super::super::{CallsPerDocument, Slope};
    use super::*;
    use crate::fixture;
    use crate::inspected::tests::the_inspected;
    use crate::table::{Style, WIDTH};

    fn text() -> String {
        let sheets = sheets(&the_inspected(&fixture::inspected()).unwrap());
        sheets.iter().map(Sheet::markdown).collect()
    }

    #[test]
    fn there_is_a_sheet_of_memory_one_of_work_and_one_of_slopes() {
        let text = text();
        for part in [
            "| lane | RSS | anon | private | tables | stacks | TCP | slab | address | threads | sockets |",
            "| stackful/hub | 2.34 | 2.34 | 2.34 | 0.00 | 0.12 | 0.00 | 0.00 | 0.00 | 9 | 600 |",
            "| stackful/hub | 2.00 | 1.00 | recvfrom 2.0 |",
            "| 95 % interval | 8.0–8.0 | 8.0–8.0 |",
            "| at no task, MiB | 4.00 | 4.00 |",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn the_widest_sheets_fit_a_terminal_without_a_broken_name() {
        // As wide as intervals were on a busy machine.
        let slope = |kind| {
            let reach = if kind == Kind::AddressSpace { 5e5 } else { 8_700.0 };
            let interval = Some(Interval { low: -reach, high: reach });
            Slope { slope: -reach, interval, intercept: -9e8, points: 9 }
        };
        let lane = |lane: &str| PerTask {
            client: Client::Library,
            lane: lane.to_owned(),
            slopes: Kind::ALL.map(|kind| (kind, slope(kind))).into(),
        };
        let row = |lane: &str| InspectedRow {
            client: Client::Library,
            lane: lane.to_owned(),
            held_bytes: Kind::ALL.map(|kind| (kind, 99e6)).into(),
            threads: Some(10_001.0),
            tcp_sockets: Some(20_000.0),
            calls_per_document: ["rt_sigprocmask", "sched_getaffinity", "epoll_wait", "recvfrom"]
                .map(|name| (name.to_owned(), CallsPerDocument { calls: 12.3, errors: 1.0 }))
                .into(),
            allocations_per_document: Some(12.3),
            allocated_bytes_per_document: Some(2e5),
        };
        let lanes = ["stackless/tokio-local", "blocking/threads"];
        let inspected = Inspected {
            point: Some(Point { documents: 10_000, concurrency: 10_000, rate: None }),
            rows: lanes.map(row).to_vec(),
            per_task: lanes.map(lane).to_vec(),
            notes: Vec::new(),
        };
        for sheet in sheets(&inspected) {
            let text = sheet.terminal(Style::Plain).join("\n");
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            let whole = |lane: &str| text.contains(&format!("\n {lane} "));
            assert!(lanes.iter().all(|lane| whole(lane)), "a lane is broken:\n{text}");
        }
    }

    #[test]
    fn numbers_below_zero_are_as_short_as_others() {
        assert_eq!([-0.126, -1234.5, 42.0, -0.001].map(short), ["-0.13", "-1234", "42.0", "0.00"]);
    }
}
