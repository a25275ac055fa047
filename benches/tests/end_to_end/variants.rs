//! Lanes under other names, costs that are known, and where lanes run.

use std::fs;

use libtest_mimic::Trial;

use crate::support::{Scratch, WORKLOADS, row, said, trial, wider_than};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("one_lane_runs_under_two_names_and_is_the_noise_floor", again),
        trial("a_planted_cpu_time_is_found", planted_cpu),
        trial("planted_bytes_a_task_are_found", planted_bytes),
        trial("what_cannot_be_planted_is_refused_in_one_line", unknown),
        trial("pinned_and_unpinned_stand_in_two_columns", placements),
    ]
}

fn again() {
    let scratch = Scratch::new();
    let run = said(&mut scratch.run("--lanes blocking,stackful --samples 3 --workloads works"));
    assert_eq!(run.code, Some(0), "{run:?}");
    let floor = "Noise floor, from one lane under two names, 4 times: wall ";
    assert!(run.stdout.contains(floor), "{}", run.stdout);
    assert!(
        row(&run.stdout, "N=30 C=3 raw", "stackful/many+again").ends_with('-'),
        "no contestant"
    );
    assert!(run.stdout.contains("Ceiling, docs/s of a client without a model: "), "{}", run.stdout);
    assert!(run.stdout.contains("Measuring adds "), "{}", run.stdout);
}

fn found(scratch: &Scratch, arguments: &str) -> serde_json::Value {
    let run = said(&mut scratch.run(&format!("--json {arguments}")));
    assert_eq!(run.code, Some(0), "{run:?}");
    let summary: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    summary["planted"].clone()
}

/// As much again: no noise is as large, whatever else the machine does.
fn planted_cpu() {
    let scratch = Scratch::new();
    let arguments = "--workloads works --lanes blocking/one+cpu=100% --samples 12";
    let found = found(&scratch, arguments);
    assert_eq!(found.as_array().unwrap().len(), 2 * 2, "each point and client: {found}");
    for found in found.as_array().unwrap() {
        assert_eq!((&found["cost"], found["truth"].as_f64()), (&"cpu_percent".into(), Some(100.0)));
        let percent = found["found"].as_f64().unwrap();
        assert!((30.0..300.0).contains(&percent), "{found}");
    }
}

fn planted_bytes() {
    let scratch = Scratch::new();
    let like = WORKLOADS.replace("documents = 12", "documents = \"concurrency\"");
    fs::write(scratch.path("w.toml"), like.replace("[2, 4]", "[2, 8, 16]")).unwrap();
    // What a thread takes beside it is a few pages.
    let arguments = "--workloads waits --lanes blocking/many+bytes=1048576 --samples 3";
    let found = found(&scratch, arguments);
    assert_eq!(found.as_array().unwrap().len(), 2, "each client, over all points: {found}");
    for found in found.as_array().unwrap() {
        let bytes = found["found"].as_f64().unwrap();
        assert!((900_000.0..1_200_000.0).contains(&bytes), "{found}");
    }
}

fn unknown() {
    let scratch = Scratch::new();
    for (lane, why) in [
        ("blocking/one+cpu", "adds nothing that there is; +again, +cpu=5% and +bytes=1024 do"),
        ("blocking/ten+again", "no lane is named `blocking/ten+again`"),
    ] {
        let run = said(&mut scratch.run(&format!("--lanes {lane}")));
        assert_eq!((run.code, run.stderr.lines().count()), (Some(2), 1), "{run:?}");
        assert!(run.stderr.contains(why), "{run:?}");
    }
}

fn placements() {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        eprintln!("skipped: one processor cannot be shared out");
        return;
    }
    let scratch = Scratch::new();
    let arguments = "--lanes blocking --workloads works --samples 1 --placement unpinned,pinned";
    let run = said(&mut scratch.run(arguments));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(wider_than(&run.stdout, 100), Vec::<&str>::new());
    let pinned = row(&run.stdout, "N=30 C=3 raw pinned", "blocking/many");
    assert_eq!(pinned.split_whitespace().filter(|word| *word == "-").count(), 1, "{pinned}");
    let sheet = run.stdout.split_once("Unpinned, and pinned").map_or("", |(_, sheet)| sheet);
    let many = row(sheet, "N=30 C=3 raw", "blocking/many");
    assert_eq!(many.split_whitespace().count(), 7, "{}", run.stdout);
    let pinned = |lane: &str| {
        let samples = scratch.recorded().samples.into_iter().filter(|s| s.cell.lane == lane);
        samples.filter(|sample| !sample.cell.placement.is_unpinned()).count()
    };
    assert!(pinned("blocking/one") >= 4, "each point and client");
}
