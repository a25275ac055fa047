//! Lanes that are programs of their own.

use libtest_mimic::Trial;

use crate::support::{Scratch, program, row, said, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_command_is_a_lane_like_any_other", command),
        trial("what_no_program_can_do_is_told_in_its_row", failures),
        trial("a_lane_that_is_no_command_is_refused_in_one_line", misuse),
        trial("environments_are_listed_by_folder", environments),
    ]
}

/// This program once more, as somebody's own.
fn own(lane: &str) -> String {
    format!("mine={} lane {lane}", std::env::current_exe().unwrap().display())
}

fn command() {
    let scratch = Scratch::new();
    let mut run = scratch.run("--lanes blocking/one --workloads works --samples 2");
    let run = said(run.arg("--lane").arg(own("blocking/many")));
    assert_eq!(run.code, Some(0), "{run:?}");
    let row = row(&run.stdout, "N=30 C=3 raw", "other/mine");
    assert!(row.contains(" ± "), "it has figures: {}", run.stdout);
    let recorded = scratch.recorded();
    let lanes: Vec<_> = recorded.plan.lanes.iter().map(|lane| lane.id.as_str()).collect();
    assert_eq!(lanes, ["blocking/one", "other/mine", "blocking/one+again"]);
    let mine = recorded.samples.iter().filter(|sample| sample.cell.lane == "other/mine");
    let ready: Vec<_> = mine.map(|sample| sample.job.as_ref().unwrap().ready_ns).collect();
    assert!(!ready.is_empty() && ready.iter().all(Option::is_some), "when it was ready: {ready:?}");
}

fn failures() {
    for (lane, why) in [
        ("mine=echo no".to_owned(), "wrote no outcome: not an outcome"),
        ("mine=false".to_owned(), "exit code 1"),
        ("mine=nothing-by-this-name".to_owned(), "exit code 127"),
        (own("odd/wrong"), "answered wrong: moves is "),
    ] {
        let scratch = Scratch::new();
        let mut run = scratch.run("--lanes blocking/one --workloads works --samples 1");
        let run = said(run.arg("--lane").arg(&lane));
        assert_eq!(run.code, Some(1), "{lane}: {run:?}");
        let void = |sample: &harness::Sample| Some(sample.void.as_ref()?.why.clone());
        let recorded = scratch.recorded();
        let mut mine = recorded.samples.iter().filter(|sample| sample.cell.lane == "other/mine");
        let told = mine.find_map(void).unwrap_or_default();
        assert!(told.contains(why), "{lane}: {told}");
        assert!(run.stdout.contains("other/mine"), "{}", run.stdout);
    }
}

fn misuse() {
    let scratch = Scratch::new();
    for (arguments, why) in [
        (&["--lane", "mine"][..], "`mine` is no NAME=COMMAND"),
        (&["--lane", "two,words=x"], "`two,words=x` is no NAME=COMMAND"),
        (&["--lane", "mine=x", "--lane", "mine=y"], "the name `mine` is taken by another lane"),
    ] {
        let run = said(scratch.run("--workloads works").args(arguments));
        assert_eq!((run.code, run.stderr.lines().count()), (Some(2), 1), "{run:?}");
        assert!(run.stderr.contains(why), "{run:?}");
    }
    let run = said(program().args(["others", "install", "cobol"]));
    assert_eq!((run.code, run.stderr.lines().count()), (Some(2), 1), "{run:?}");
    assert!(run.stderr.contains("there is no `cobol` among others: "), "{run:?}");
}

fn environments() {
    let run = said(program().args(["others", "list"]));
    assert_eq!(run.code, Some(0), "{run:?}");
    let registry = compare_cli::registry::Registry::with(&[]).unwrap();
    let servers = compare_cli::servers::Servers::registered();
    // What is indented belongs to the environment above.
    let mut listed: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in run.stdout.lines() {
        match line.strip_prefix("  ") {
            Some(id) => listed.last_mut().expect("an environment comes first").1.push(id),
            None => listed.push((line, Vec::new())),
        }
    }
    let environments = registry.environments.iter().chain(&servers.environments);
    assert_eq!(listed.len(), environments.clone().count(), "{}", run.stdout);
    for (environment, (line, ids)) in environments.zip(listed) {
        assert!(line.starts_with(&format!("{}: ", environment.folder)), "{}", run.stdout);
        let install = format!("`compare others install {}`", environment.folder);
        let is_there = environment.missing().is_none();
        assert_eq!(line.contains(&install), !is_there, "{}", run.stdout);
        let lanes = registry.programs.iter().filter(|program| program.is_of(environment));
        let servers = servers.programs.iter().filter(|program| program.is_of(environment));
        let lanes = lanes.map(|program| program.id.as_str());
        let own: Vec<_> = lanes.chain(servers.map(|program| program.id.as_str())).collect();
        assert_eq!(ids, own, "{}", environment.folder);
    }
}
