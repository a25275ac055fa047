//! What a run prints and keeps.

use std::fs;
use std::io::Read;
use std::process::Command;

use clap::ValueEnum;
use job::Client;
use libtest_mimic::Trial;
use origin::Server;

use crate::support::{
    DOOR, LANES, Said, Scratch, on_terminal, program, program_at, row, said, trial, wider_than,
};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_run_prints_tables_and_keeps_every_sample", tables_and_samples),
        trial("a_record_prints_the_same_tables_again", tables_again),
        trial("the_summary_is_there_as_json_and_as_markdown", json_and_markdown),
        trial("a_run_leaves_a_page_that_can_be_made_again", page),
        trial("a_run_leaves_its_tables_beside_its_record", tables_beside),
        trial("a_terminal_gets_bold_unless_no_color_is_set", bold_in_a_terminal),
        trial("may_minihttp_can_serve_and_the_record_says_so", another_origin),
        trial("every_gate_holds_with_every_server", every_origin),
        trial("a_readers_own_documents_are_fetched", own_documents),
        trial("the_list_names_lanes_and_workloads", list),
        trial("help_is_the_way_in", help),
        trial("a_test_run_looks_at_every_answer", verify),
        trial("nextest_is_told_what_tests_there_are", nextest),
        trial("a_command_s_name_names_tests_in_a_test_run", filter),
        trial("runs_in_the_same_second_keep_a_record_each", same_second),
        trial("a_proxy_in_the_environment_has_no_part", proxy),
        trial("a_standard_error_that_takes_nothing_is_no_hindrance", full_stderr),
    ]
}

const SOUND: &str = "--lanes blocking,stackful --samples 2";

fn tables_and_samples() {
    let scratch = Scratch::new();
    let run = said(&mut scratch.run(SOUND));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(wider_than(&run.stdout, 100), Vec::<&str>::new());
    assert!(!run.stdout.contains('\x1b'), "no styling without a terminal");
    // The best of a group is 1 in the column before the last, and two samples rank nothing.
    let ends_as_best = |line: &&str| line.split_whitespace().rev().take(2).eq(["-", "1"]);
    let best = run.stdout.lines().filter(ends_as_best).count();
    assert_eq!(best, 4 * 2, "one best for each point and client: {}", run.stdout);
    let one = row(&run.stdout, "N=12 C=4 library", "blocking/one");
    assert!(one.split_whitespace().count() > 8, "{one}");

    let recorded = scratch.recorded();
    // Three lanes and one of them again, with both clients; the floor and the ceiling.
    let lanes = 4 * 2 + 2;
    let cells = 4 * lanes;
    let (warm_ups, counted): (Vec<_>, Vec<_>) = recorded.samples.iter().partition(|s| s.warmup);
    assert_eq!((warm_ups.len(), counted.len()), (lanes, 2 * cells));
    let lanes: Vec<_> = counted.iter().map(|sample| &sample.cell.lane).collect();
    assert!(lanes.windows(2).all(|pair| pair[0] != pair[1]), "interleaved: {lanes:?}");
    for sample in counted {
        assert_eq!(sample.void, None);
        let job = sample.job.as_ref().unwrap();
        assert!(job.usage.is_some() && job.rss_bytes_peak.is_some());
        assert!(sample.process.wall_ns > job.wall_ns);
        if !sample.cell.is_bound() {
            let times: u64 = job.service_times_ns.iter().map(|(_, count)| count).sum();
            assert_eq!(times, sample.cell.point.documents);
            assert_eq!(sample.origin.as_ref().unwrap().server, "hyper");
        }
    }
    assert!(recorded.environment.build.crates.contains_key("may"));
    assert!(recorded.ending.is_some());
}

fn tables_again() {
    let scratch = Scratch::new();
    let run = said(&mut scratch.run(&format!("{SOUND} --workloads works")));
    let table = said(program().arg("table").arg(scratch.path("record")));
    assert_eq!((table.code, table.stdout), (Some(0), run.stdout));
}

fn page() {
    let scratch = Scratch::new();
    let run = said(&mut scratch.run("--lanes stackful --samples 1 --workloads works"));
    let own = scratch.path("record").join("report.html");
    assert!(run.stderr.contains(&format!("the page of it is {}", own.display())), "{run:?}");
    let page = fs::read_to_string(&own).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("What work costs."));

    let report = |arguments: &[&str]| {
        said(program().arg("report").arg(scratch.path("record")).args(arguments))
    };
    fs::remove_file(&own).unwrap();
    let again = report(&[]);
    assert_eq!((again.code, again.stdout), (Some(0), format!("{}\n", own.display())));
    assert_eq!(fs::read_to_string(&own).unwrap(), page);
    let other = scratch.path("other.html");
    let elsewhere = report(&["--to", other.to_str().unwrap()]);
    assert_eq!(elsewhere.stdout, format!("{}\n", other.display()));
    assert_eq!(fs::read_to_string(&other).unwrap(), page);

    let nowhere = report(&["--to", "/nowhere/at/all.html"]);
    assert_eq!((nowhere.code, nowhere.stderr.lines().count()), (Some(2), 1), "{nowhere:?}");
    let none = said(program().args(["report", "/nowhere"]));
    assert_eq!((none.code, none.stderr.lines().count()), (Some(2), 1), "{none:?}");
}

fn json_and_markdown() {
    let scratch = Scratch::new();
    let page = scratch.path("page.md");
    let mut command = scratch.run(&format!("{SOUND} --workloads works --json --markdown"));
    let run = said(command.arg(&page));
    let summary: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let groups = summary["workloads"][0]["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 4);
    let clients = [Client::Library, Client::Raw].map(Client::name);
    assert!(groups.iter().all(|group| clients.contains(&group["client"].as_str().unwrap())));
    assert!(groups[0]["rows"][0]["figures"]["throughput"].as_f64().unwrap() > 0.0);
    assert!(summary["record"].as_str().unwrap().ends_with("record"));

    let page = fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("| 1 | - |").count(), 4, "a best row for each group: {page}");
}

fn tables_beside() {
    let scratch = Scratch::new();
    let run = said(&mut scratch.run(&format!("{SOUND} --workloads works")));
    assert_eq!(run.code, Some(0), "{run:?}");
    let beside = |name: &str| fs::read_to_string(scratch.path("record").join(name)).unwrap();
    let page = beside("report.md");
    assert!(page.contains("### works\n\nWhat work costs.\n"), "{page}");
    let tables = beside("tables.csv");
    assert!(tables.starts_with("workload,documents,"), "{tables}");
    // Three lanes and one of them again, at two points with two clients.
    assert_eq!(tables.lines().count(), 1 + 4 * 2 * 2, "{tables}");
}

fn bold_in_a_terminal() {
    let scratch = Scratch::new();
    said(&mut scratch.run(&format!("{SOUND} --workloads works")));
    let table = || {
        let mut command = program();
        command.arg("table").arg(scratch.path("record"));
        command
    };
    let shown = in_terminal(&mut table());
    assert!(shown.contains("\x1b[1m"), "{shown}");
    let plain = in_terminal(table().env("NO_COLOR", "1"));
    assert!(!plain.contains('\x1b') && plain.contains("blocking/one"), "{plain}");
}

/// What the command writes to a terminal that it believes to have.
fn in_terminal(command: &mut Command) -> String {
    let (mut child, mut terminal) = on_terminal(command, 100, 30);
    let mut shown = Vec::new();
    // A terminal whose other end is gone gives an error, not an end.
    let _ = terminal.read_to_end(&mut shown);
    assert!(child.wait().unwrap().success());
    String::from_utf8(shown).unwrap()
}

fn another_origin() {
    let scratch = Scratch::new();
    let arguments = "--lanes blocking/many --samples 1 --workloads works --origin may_minihttp";
    let run = said(&mut scratch.run(arguments));
    assert_eq!(run.code, Some(0), "{run:?}");
    let recorded = scratch.recorded();
    assert_eq!(recorded.environment.origin_server, "may_minihttp");
    assert!(run.stdout.contains("Note: the origin: may_minihttp never closes"), "{}", run.stdout);
    let servers = recorded.samples.iter().filter_map(|sample| sample.origin.as_ref());
    assert!(servers.map(|stats| stats.server.as_str()).all(|server| server == "may_minihttp"));
}

fn every_origin() {
    for server in Server::value_variants() {
        // The pool has fewer requests in flight than the lane wants, and the gate says so.
        if *server == Server::BlockingPool {
            continue;
        }
        let (scratch, name) = (Scratch::new(), server.name());
        let arguments = "--lanes blocking/many --samples 1 --workloads works --origin";
        let run = said(&mut scratch.run(&format!("{arguments} {name}")));
        assert_eq!(run.code, Some(0), "{run:?}");
        let samples = scratch.recorded().samples;
        assert!(!samples.is_empty());
        for sample in samples {
            assert_eq!(sample.void, None, "{name}");
            assert_eq!(sample.origin.unwrap().server, name);
        }
    }
}

fn own_documents() {
    let scratch = Scratch::new();
    let folder = scratch.path("documents");
    fs::create_dir(&folder).unwrap();
    for (id, body) in job::Corpus::generated(3, 900, 4).unwrap().iter() {
        fs::write(folder.join(format!("{id}.json")), body).unwrap();
    }
    let files = "\n[[workload]]\nname = \"own\"\nshows = \"Own.\"\nsource = \"files\"\n\
                 documents = 10\nconcurrency = 2\n";
    let text = fs::read_to_string(scratch.path("w.toml")).unwrap() + files;
    fs::write(scratch.path("w.toml"), text).unwrap();
    let mut command = scratch.run("--lanes blocking --samples 1 --workloads own --corpus");
    let run = said(command.arg(&folder));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(scratch.recorded().samples.iter().all(|sample| sample.void.is_none()));
}

fn list() {
    let scratch = Scratch::new();
    let list = said(&mut scratch.run("--list"));
    assert_eq!(list.code, Some(0));
    for name in ["blocking/one", "odd/crash", "waits", "works", "What work costs."] {
        assert!(list.stdout.contains(name), "{name} in {}", list.stdout);
    }
    assert!(!crate::support::exists(&scratch.path("record")));
}

fn help() {
    let help = said(program().arg("--help"));
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("Examples:") && help.stdout.contains("cargo bench -p compare"));
    let run = said(program().args(["run", "--help"]));
    for option in ["--quick", "--full", "--list", "--lanes", "--workloads", "--concurrency"] {
        assert!(run.stdout.contains(option), "{option}");
    }
}

fn bench_target(arguments: &[&str], lanes: &str) -> Said {
    said(program().env(DOOR, "bench").env(LANES, lanes).args(arguments))
}

fn verify() {
    let sound = bench_target(&["few_to_many"], "sound");
    assert_eq!(sound.code, Some(0), "{sound:?}");
    assert!(sound.stdout.contains("every_lane_answers_right_on_few_to_many"), "{sound:?}");
    assert!(sound.stdout.contains("1 passed; 0 failed"), "{sound:?}");
}

fn nextest() {
    let list = bench_target(&["--list", "--format", "terse"], "sound");
    assert_eq!(list.code, Some(0));
    assert!(list.stdout.lines().count() >= 6);
    assert!(list.stdout.lines().all(|line| line.ends_with(": test")), "{}", list.stdout);
    let ignored = bench_target(&["--list", "--format", "terse", "--ignored"], "sound");
    assert_eq!(ignored.stdout, "");
}

fn filter() {
    let none = bench_target(&["origin"], "sound");
    assert_eq!(none.code, Some(0), "{none:?}");
    assert!(none.stdout.contains("0 passed; 0 failed"), "{none:?}");
}

fn proxy() {
    let scratch = Scratch::new();
    let mut command = scratch.run("--lanes blocking/many --samples 1 --workloads works");
    let nobody = "http://127.0.0.1:9";
    let run = said(command.env("http_proxy", nobody).env("ALL_PROXY", nobody));
    assert_eq!(run.code, Some(0), "{run:?}");
}

fn full_stderr() {
    let scratch = Scratch::new();
    let mut command = scratch.run("--lanes blocking/one,odd/crash --samples 1 --workloads works");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let run = said(command.stderr(full));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("crashed with signal 6"), "{run:?}");
}

/// Started together they begin in the same second, or one begins in the next: both keep a record.
fn same_second() {
    let scratch = Scratch::new();
    let program = scratch.path("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    // This marks a folder as the one that records are kept in.
    fs::write(scratch.path("CACHEDIR.TAG"), "").unwrap();
    let start = || {
        let mut command = program_at(&program);
        command.args([
            "run",
            "--load-limit=100",
            "--lanes",
            "blocking/one",
            "--workloads",
            "works",
            "--samples",
            "1",
        ]);
        command.arg("--file").arg(scratch.path("w.toml")).spawn().unwrap()
    };
    for run in [start(), start(), start()] {
        let run = Said::from(run.wait_with_output().unwrap());
        assert_eq!(run.code, Some(0), "{run:?}");
    }
    assert_eq!(fs::read_dir(scratch.path("compare")).unwrap().count(), 3);
}
