//! Workloads with a rate: what is recorded, what is printed, and who does not count.

use std::fs;

use harness::Gate;
use libtest_mimic::Trial;

use crate::misuse::refused;
use crate::support::{Scratch, WORKLOADS, row, said, trial, wider_than};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_run_at_a_rate_records_latencies_and_prints_them", latencies),
        trial("a_run_at_a_rate_is_there_as_json_and_as_markdown", json_and_markdown),
        trial("a_lane_that_ignores_arrivals_does_not_count", heedless),
        trial("half_an_open_loop_is_told_in_one_line", half),
    ]
}

const OPEN: &str = r#"
[[workload]]
name = "arrives"
shows = "What comes when it comes."
documents = "30 ms"
concurrency = 8
arrivals = "poisson"
rate = [500, 1_000]
"#;

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    fs::write(scratch.path("w.toml"), WORKLOADS.to_owned() + OPEN).unwrap();
    scratch
}

fn latencies() {
    let scratch = scratch();
    let run = said(&mut scratch.run("--lanes blocking --samples 2 --workloads arrives"));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(wider_than(&run.stdout, 100), Vec::<&str>::new());
    let heads = run.stdout.lines().find(|line| line.starts_with("lane ")).unwrap_or_default();
    assert!(heads.contains("sent") && heads.contains("p99.9"), "{}", run.stdout);
    for group in ["N=15 C=8 500/s library", "N=30 C=8 1,000/s raw"] {
        let row = row(&run.stdout, group, "blocking/many");
        assert!(row.split_whitespace().count() > 8, "{group}: {}", run.stdout);
    }
    let recorded = scratch.recorded();
    assert!(recorded.samples.iter().all(|sample| sample.void.is_none()));
    for sample in recorded.samples.iter().filter(|sample| !sample.cell.is_bound()) {
        let (point, job) = (sample.cell.point, sample.job.as_ref().unwrap());
        let latencies: u64 = job.latencies_ns.as_ref().unwrap().iter().map(|(_, n)| n).sum();
        assert_eq!(latencies, point.documents);
        assert!(job.sent_in_time.unwrap() <= point.documents);
        assert_eq!(point.rate, Some(point.documents * 1_000 / 30));
    }
}

fn json_and_markdown() {
    let scratch = scratch();
    let page = scratch.path("page.md");
    let mut command = scratch.run("--lanes blocking --samples 1 --workloads arrives --json");
    let run = said(command.arg("--markdown").arg(&page));
    let summary: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let group = &summary["workloads"][0]["groups"][0];
    assert_eq!(group["rate"], 500);
    let figures = &group["rows"][1]["figures"];
    let of_open_loop = &figures["open_loop"];
    let latency = of_open_loop["latency_ms_p99"].as_f64().unwrap();
    assert!(latency >= figures["service_time_ms_p99"].as_f64().unwrap());
    assert!(of_open_loop["sent_part"].as_f64().unwrap() <= 1.0);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("| N=15 C=8 500/s library | "), "{page}");
}

fn heedless() {
    let scratch = scratch();
    let arguments = "--lanes blocking/many,odd/heedless --samples 2 --workloads arrives";
    let run = said(&mut scratch.run(arguments));
    assert_eq!(run.code, Some(1), "{run:?}");
    let why = "told no latencies: it knows nothing of `arrivals`";
    let told = |line: &str| line.contains("500/s, odd/heedless") && line.ends_with(why);
    assert!(run.stderr.lines().any(told), "{run:?}");
    assert!(run.stdout.contains(&format!("[1] {why}")), "{}", run.stdout);
    let samples = scratch.recorded().samples;
    let voids: Vec<_> = samples
        .iter()
        .filter_map(|s| Some((s.cell.lane.as_str(), s.void.as_ref()?.gate)))
        .collect();
    assert!(!voids.is_empty());
    let is_heedless = |lane: &str| lane.starts_with("odd/heedless");
    assert!(voids.iter().all(|(lane, gate)| is_heedless(lane) && *gate == Gate::Schedule));
}

fn half() {
    let scratch = scratch();
    let with = |from: &str, to: &str| {
        fs::write(scratch.path("w.toml"), OPEN.replace(from, to)).unwrap();
        refused(&scratch, "")
    };
    let line = with("rate = [500, 1_000]", "");
    let why = "w.toml: workload `arrives`: `arrivals` needs a `rate`: documents per second";
    assert!(line.ends_with(why), "{line}");
    let line = with("arrivals = \"poisson\"", "");
    assert!(line.ends_with("`rate` needs `arrivals`: \"uniform\" or \"poisson\""), "{line}");
    let line = with("\"poisson\"", "\"often\"");
    assert!(line.ends_with("w.toml:7: unknown variant `often`, expected `uniform` or `poisson`"));
    let line = with("[500, 1_000]", "\"fast\"");
    assert!(line.contains("w.toml:8: `rate`: a number, or a list of numbers"), "{line}");
}
