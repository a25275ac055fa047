//! What a user may get wrong: one clear line each, what to do, and exit code 2.

use std::fs;

use libtest_mimic::Trial;

use crate::support::{Scratch, WORKLOADS, exists, program, said, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("an_unknown_option_is_told_with_the_nearest", option),
        trial("an_unknown_lane_lists_the_right_ones", lane),
        trial("an_unknown_workload_lists_the_right_ones", workload),
        trial("an_unknown_key_is_told_with_file_and_line", key),
        trial("an_option_that_is_there_twice_is_told", twice),
        trial("a_missing_file_is_named", file),
        trial("lanes_that_cannot_run_at_all_are_told_with_the_reason", nothing_runs),
        trial("a_folder_without_documents_is_told", empty_folder),
        trial("what_is_no_document_is_named", no_document),
        trial("files_without_a_folder_are_told", no_folder),
        trial("a_page_that_cannot_be_written_is_told_before_anything_is_measured", markdown),
        trial("a_record_is_not_written_over", record),
        trial("a_concurrency_of_none_is_refused", concurrency),
        trial("no_record_is_no_table", table),
    ]
}

/// Finds one line on standard error, exit code 2, and nothing started.
pub fn refused(scratch: &Scratch, arguments: &str) -> String {
    let run = said(&mut scratch.run(arguments));
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(!exists(&scratch.path("record/samples.jsonl")));
    let line = run.stderr.trim_end().to_owned();
    let parts: Vec<_> = line.split(": ").collect();
    let repeats = parts.iter().enumerate().any(|(index, part)| parts[..index].contains(part));
    assert!(!repeats, "a part is told twice: {line}");
    line
}

fn option() {
    let line = refused(&Scratch::new(), "--qick");
    assert!(line.starts_with("compare: unexpected argument '--qick' found"), "{line}");
    assert!(line.contains("'--quick'") && line.contains("compare run --help"), "{line}");
}

fn lane() {
    let line = refused(&Scratch::new(), "--lanes blocking,stackfull");
    assert!(line.starts_with("compare: no lane is named `stackfull`; there are: blocking/one, "));
    let models = "or all of a model: blocking, stackful, odd, real, other; --list tells more";
    assert!(line.ends_with(models), "{line}");
    assert_eq!(refused(&Scratch::new(), "--list --lanes blocking,stackfull"), line);
}

fn workload() {
    let line = refused(&Scratch::new(), "--workloads wait");
    assert_eq!(line, "compare: no workload is named `wait`; there are: waits, works");
}

fn key() {
    let scratch = Scratch::new();
    fs::write(scratch.path("w.toml"), WORKLOADS.replace("delay_us", "delay")).unwrap();
    let line = refused(&scratch, "");
    assert!(line.contains("w.toml:7: unknown field `delay`, expected one of"), "{line}");
}

fn twice() {
    let line = refused(&Scratch::new(), "--seed 1 --seed 2");
    assert!(line.contains("'--seed <N>' cannot be used multiple times"), "{line}");
}

fn file() {
    let scratch = Scratch::new();
    fs::remove_file(scratch.path("w.toml")).unwrap();
    let line = refused(&scratch, "");
    assert!(line.contains("w.toml: No such file or directory"), "{line}");
}

fn nothing_runs() {
    let line = refused(&Scratch::new(), "--lanes odd/huge");
    assert!(line.contains("there is nothing to measure: odd/huge: needs "), "{line}");
    assert!(line.contains("run `sudo sysctl -w vm.max_map_count="), "{line}");
}

fn empty_folder() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("documents")).unwrap();
    let line = refused(&scratch, &format!("--corpus {}", scratch.path("documents").display()));
    assert!(line.contains("documents"), "{line}");
}

fn no_document() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("documents")).unwrap();
    fs::write(scratch.path("documents/page.json"), "<html>").unwrap();
    let line = refused(&scratch, &format!("--corpus {}", scratch.path("documents").display()));
    assert!(line.contains("page.json"), "{line}");
    assert!(line.ends_with("id, name, weight, height, types, stats and moves"), "{line}");
}

fn no_folder() {
    let scratch = Scratch::new();
    let files = "name = \"works\"\nsource = \"files\"";
    fs::write(scratch.path("w.toml"), WORKLOADS.replace("name = \"works\"", files)).unwrap();
    let line = refused(&scratch, "--workloads works");
    assert!(line.ends_with("works: name a folder of documents with --corpus DIR"), "{line}");
}

fn markdown() {
    let line = refused(&Scratch::new(), "--markdown /nowhere/page.md");
    assert_eq!(line, "compare: /nowhere/page.md: No such file or directory (os error 2)");
}

fn record() {
    let scratch = Scratch::new();
    let arguments = "--lanes blocking/many --workloads works --samples 1";
    assert_eq!(said(&mut scratch.run(arguments)).code, Some(0));
    let before = scratch.recorded();
    let again = said(&mut scratch.run(arguments));
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("holds a record already; name another folder"), "{again:?}");
    assert_eq!(scratch.recorded(), before);
}

fn concurrency() {
    let line = refused(&Scratch::new(), "--concurrency 0");
    assert!(line.contains("invalid value '0' for '--concurrency"), "{line}");
}

fn table() {
    let table = said(program().args(["table", "nowhere"]));
    assert_eq!(table.code, Some(2), "{table:?}");
    let missing = "compare: nowhere/plan.json: No such file or directory (os error 2)\n";
    assert_eq!(table.stderr, missing);
}
