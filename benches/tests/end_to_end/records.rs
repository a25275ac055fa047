//! What can be done with records once they are there.

use std::fs;
use std::path::Path;

use harness::record::AGREEMENT;
use libtest_mimic::Trial;

use crate::support::{Said, Scratch, exists, program, said, trial, wider_than};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_record_agrees_with_itself_and_with_its_reverse_not_at_all", agree),
        trial("records_that_have_nothing_in_common_are_told", nothing_in_common),
    ]
}

const RUN: &str = "--lanes blocking,stackful --workloads works --samples 4";

/// A command over records, told apart by spaces; `@` stands for the scratch folder.
fn asked(scratch: &Scratch, arguments: &str) -> Said {
    let folder = format!("{}/", scratch.0.display());
    let arguments = arguments.split_whitespace().map(|word| word.replace('@', &folder));
    let said = said(program().args(arguments));
    assert_eq!(wider_than(&said.stdout, 100), Vec::<&str>::new());
    assert!(!said.stdout.contains('\x1b'), "no styling without a terminal");
    said
}

/// A run, and its record once more with the samples' lines changed.
fn with_copy(scratch: &Scratch, change: impl Fn(&mut serde_json::Value)) {
    let run = said(&mut scratch.run(RUN));
    assert_eq!(run.code, Some(0), "{run:?}");
    copy(&scratch.path("record"), &scratch.path("copy"), change);
}

fn copy(from: &Path, to: &Path, change: impl Fn(&mut serde_json::Value)) {
    fs::create_dir(to).unwrap();
    for name in ["plan.json", "environment.json", "ending.json"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    let lines = fs::read_to_string(from.join("samples.jsonl")).unwrap();
    let changed = lines.lines().map(|line| {
        let mut line = serde_json::from_str(line).unwrap();
        change(&mut line);
        format!("{line}\n")
    });
    fs::write(to.join("samples.jsonl"), changed.collect::<String>()).unwrap();
}

/// Sets the job's wall time, which differs by a little from round to round.
fn take(line: &mut serde_json::Value, ms: u64) {
    let round = line["round"].as_u64().unwrap();
    line["job"]["wall_ns"] = (ms * 1_000_000 + round * 1_000).into();
}

fn agree() {
    let scratch = Scratch::new();
    with_copy(&scratch, |_| {});
    let same = asked(&scratch, "agree @record @copy --keep");
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.stdout.contains("They agree: 100.0 % of all verdicts are the same"), "{same:?}");
    assert_eq!(fs::read_to_string(scratch.path("copy").join(AGREEMENT)).unwrap(), same.stdout);
    assert!(!exists(&scratch.path("record").join(AGREEMENT)));

    let of_one = |line: &serde_json::Value| line["lane"].as_str().unwrap().contains("/one");
    for (name, one, others) in [("quick", 10, 20), ("full", 30, 20)] {
        let at = |line: &mut serde_json::Value| {
            let ms = if of_one(line) { one } else { others };
            take(line, ms);
        };
        copy(&scratch.path("record"), &scratch.path(name), at);
    }
    let reversed = asked(&scratch, "agree @quick @full --least 0");
    assert_eq!(reversed.code, Some(1), "{reversed:?}");
    assert!(reversed.stdout.contains("blocking/one : blocking/many"), "{reversed:?}");
    let json = asked(&scratch, "agree @quick @full --json");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["differing"][0]["relation"], "reversed");
    assert_eq!(json["questions"]["wall"]["reversed"], 4 * 2, "two pairs in four groups");
}

fn nothing_in_common() {
    let scratch = Scratch::new();
    with_copy(&scratch, |_| {});
    let plan = fs::read_to_string(scratch.path("copy/plan.json")).unwrap();
    let plan = plan.replace("\"works\"", "\"other\"");
    fs::write(scratch.path("copy/plan.json"), plan).unwrap();
    let none = asked(&scratch, "agree @record @copy");
    assert_eq!((none.code, none.stdout.as_str()), (Some(2), ""), "{none:?}");
    assert!(none.stderr.contains("no pair of lanes in common"), "{none:?}");
}
