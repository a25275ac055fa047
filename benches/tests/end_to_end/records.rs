//! What can be done with records once they are there.

use std::fs;
use std::path::Path;

use harness::record::AGREEMENT;
use libtest_mimic::Trial;

use crate::support::{Said, Scratch, exists, program, program_at, said, trial, wider_than};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_record_agrees_with_itself_and_with_its_reverse_not_at_all", agree),
        trial("records_that_have_nothing_in_common_are_told", nothing_in_common),
        trial("a_planted_cost_must_be_found_in_a_record_that_is_checked", check),
        trial("figures_of_several_records_are_held_side_by_side", repeat),
        trial("a_published_record_reads_as_the_one_it_was", publish),
        trial("a_record_is_published_in_the_project_it_is_called_in", publish_here),
        trial("a_page_is_made_what_the_records_that_it_names_say", splice),
        trial("claims_are_held_against_a_record_and_have_no_verdict_without", claims),
        trial("a_record_has_not_changed_from_itself_and_a_slower_one_has", diff),
        trial("a_record_is_compared_with_now_by_the_options_it_was_made_with", diff_now),
        trial("what_a_record_was_made_with_may_be_gone", diff_now_gone),
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
    assert!(
        same.stdout.contains("They agree: 100.0 % of all cells are judged the same"),
        "{same:?}"
    );
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
    assert!(none.stderr.contains("no lane in common"), "{none:?}");
}

fn diff() {
    let scratch = Scratch::new();
    with_copy(&scratch, |_| {});
    let same = asked(&scratch, "diff @record @copy");
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.stdout.starts_with("record before, copy after\n"), "{same:?}");
    assert!(same.stdout.contains("Nothing has changed distinguishably, of"), "{same:?}");

    let is_one = |line: &serde_json::Value| line["lane"].as_str().unwrap() == "blocking/one";
    for (name, one) in [("fast", 10), ("slow", 13)] {
        let at = |line: &mut serde_json::Value| {
            let ms = if is_one(line) { one } else { 20 };
            take(line, ms);
        };
        copy(&scratch.path("record"), &scratch.path(name), at);
    }
    let worse = asked(&scratch, "diff @fast @slow");
    assert_eq!(worse.code, Some(1), "{worse:?}");
    // Two points with two clients.
    assert_eq!(worse.stdout.matches(" regression").count(), 4, "{}", worse.stdout);
    assert_eq!(asked(&scratch, "diff @fast @slow --threshold 40").code, Some(0));
    assert_eq!(asked(&scratch, "diff @slow @fast").code, Some(0), "it has become less");
    let json = asked(&scratch, "diff @fast @slow --json");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["cells"].as_array().unwrap().len(), 3 * 4 * 3, "with what is the same");

    for misuse in ["diff @record", "diff @record @copy --now", "diff @record @copy --threshold x"] {
        assert_eq!(asked(&scratch, misuse).code, Some(2), "{misuse}");
    }
}

fn diff_now() {
    let scratch = Scratch::new();
    let run = said(&mut scratch.run("--lanes blocking/one --workloads works --samples 3"));
    assert_eq!(run.code, Some(0), "{run:?}");
    // Records of their own go below the folder that is marked so.
    let program = scratch.path("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::write(scratch.path("CACHEDIR.TAG"), "").unwrap();
    let mut command = program_at(&program);
    // A busy machine may change, and what is looked for here is that it is measured again.
    command.args(["diff", "--now", "--json", "--threshold", "100000"]);
    let now = said(command.arg(scratch.path("record")));
    assert_eq!(now.code, Some(0), "{now:?}");
    let json: serde_json::Value = serde_json::from_str(&now.stdout).unwrap();
    assert_eq!(json["cells"].as_array().unwrap().len(), 4 * 3);
    let kept: Vec<_> = fs::read_dir(scratch.path("compare")).unwrap().collect();
    let [Ok(folder)] = kept.as_slice() else { panic!("{kept:?}") };
    assert!(folder.file_name().to_str().unwrap().ends_with("-now"), "{folder:?}");
    let recorded = harness::record::read(&folder.path()).unwrap();
    let (before, after) = (scratch.recorded().plan, recorded.plan);
    assert_eq!((after.rounds, after.cells), (before.rounds, before.cells));
}

fn diff_now_gone() {
    let scratch = Scratch::new();
    with_copy(&scratch, |_| {});
    fs::remove_file(scratch.path("w.toml")).unwrap();
    let gone = asked(&scratch, "diff @record --now");
    assert_eq!((gone.code, gone.stdout.as_str()), (Some(2), ""), "{gone:?}");
    assert!(gone.stderr.contains("w.toml: No such file"), "{gone:?}");
}

fn publish() {
    let scratch = Scratch::new();
    with_copy(&scratch, |_| {});
    let done = asked(&scratch, "publish @record --to @shelf");
    assert_eq!(done.code, Some(0), "{done:?}");
    let folder = done.stdout.trim_end();
    assert_eq!(Path::new(folder).parent(), Some(scratch.path("shelf").as_path()));
    let told = fs::read_to_string(Path::new(folder).join("environment.json")).unwrap();
    assert!(!told.contains(scratch.0.to_str().unwrap()), "{told}");
    let table = |record: &Path| said(program().arg("table").arg(record)).stdout;
    assert_eq!(table(Path::new(folder)), table(&scratch.path("record")));
    for command in ["agree", "diff"] {
        let same = said(program().args([command, folder]).arg(scratch.path("copy")));
        assert_eq!(same.code, Some(0), "{same:?}");
    }
}

fn splice() {
    let scratch = Scratch::new();
    with_copy(&scratch, |_| {});
    let page = scratch.path("page.md");
    let asks_for = |asked: &[&str]| {
        let marked =
            asked.iter().map(|asked| format!("<!-- spliced: {asked} -->\n<!-- /spliced -->\n"));
        fs::write(&page, marked.collect::<String>()).unwrap();
    };
    let table = "table record=record workload=works client=raw documents=30";
    asks_for(&[
        "source record=record",
        table,
        "chart record=copy workload=works client=library file=chart.svg",
    ]);
    let stale = asked(&scratch, "splice @page.md --check");
    assert_eq!((stale.code, stale.stdout.as_str()), (Some(1), ""), "{stale:?}");
    assert!(
        stale.stderr.contains("page.md is not what the records say: renew it with"),
        "{stale:?}"
    );
    assert!(!exists(&scratch.path("chart.svg")), "it was only looked at");

    let renewed = asked(&scratch, "splice @page.md");
    assert_eq!((renewed.code, renewed.stdout.lines().count()), (Some(0), 2), "{renewed:?}");
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("From [`record`](record), which `compare run "), "{text}");
    assert_eq!(text.matches("| N=30 C=3 raw | ").count(), 3 + 1, "{text}");
    assert!(!text.contains("library |") && text.contains("](chart.svg)\n"), "{text}");
    assert!(fs::read_to_string(scratch.path("chart.svg")).unwrap().starts_with("<svg "));
    let fresh = asked(&scratch, "splice @page.md --check");
    assert_eq!((fresh.code, fresh.stderr.as_str()), (Some(0), ""), "{fresh:?}");

    for (marker, why) in [
        ("table record=nowhere", "line 1: "),
        ("table record=record workload=other", "there is nothing of record=record workload=other"),
        ("table record=record lane=x", "a table has no lane="),
        ("painting record=record", "painting is no form"),
        ("picture record=record", "record is a record of lanes, and picture of servers"),
        ("claims record=record", "record has no samples for any claim"),
        ("growth record=record claim=15 file=x.svg", "there is nothing of claim=15"),
    ] {
        asks_for(&[marker]);
        let misused = asked(&scratch, "splice @page.md");
        assert_eq!(misused.code, Some(2), "{misused:?}");
        assert!(misused.stderr.contains(why), "{misused:?}");
    }
}

/// Of the lanes of [`RUN`].
const CLAIMS: &str = r#"
[[claim]]
number = 1
source = "nobody"
says = "One is twice as fast."
predicts = "Half the wall time."
why = "We say so."

[[claim.experiment]]
what = "one and many"
as = "written"
condition = "somebody measures it"
measure = "wall"
workload = "works"
documents = 30
client = "raw"
of = { lane = "blocking/one" }
over = { lane = "blocking/many" }
at_most = 0.6
"#;

fn claims() {
    let scratch = Scratch::new();
    let run = said(&mut scratch.run(&RUN.replace("--samples 4", "--samples 6")));
    assert_eq!(run.code, Some(0), "{run:?}");
    copy(&scratch.path("record"), &scratch.path("copy"), |line| {
        let ms = if line["lane"] == "blocking/one" { 10 } else { 20 };
        take(line, ms);
    });
    fs::write(scratch.path("c.toml"), CLAIMS).unwrap();
    let held = asked(&scratch, "claims @copy --file @c.toml");
    assert_eq!(held.code, Some(0), "{held:?}");
    assert!(
        held.stdout.contains("1. HOLDS") && held.stdout.contains("holds, 6 rounds"),
        "{held:?}"
    );
    let json = asked(&scratch, "claims @copy --file @c.toml --json");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["claims"][0]["verdict"], serde_json::json!({ "word": "holds", "rounds": 6 }));
    let first = asked(&scratch, "claims @copy @record --file @c.toml --json");
    let first: serde_json::Value = serde_json::from_str(&first.stdout).unwrap();
    assert_eq!(first, json, "of several records the first that has samples is what counts");

    fs::write(scratch.path("c.toml"), CLAIMS.replace("blocking/many", "blocking/mayn")).unwrap();
    let typo = asked(&scratch, "claims @copy --file @c.toml");
    assert_eq!((typo.code, typo.stdout.as_str()), (Some(2), ""), "{typo:?}");
    let why = "c.toml:18: no lane has the id `blocking/mayn`; is it `blocking/many`?";
    assert!(typo.stderr.contains(why), "{typo:?}");

    // The articles' own have no samples in such a record, and so no verdict either.
    let none = asked(&scratch, "claims @record");
    assert_eq!((none.code, none.stdout.as_str()), (Some(2), ""), "{none:?}");
    assert!(none.stderr.contains("has no samples for any claim"), "{none:?}");
}

fn publish_here() {
    let scratch = Scratch::new();
    with_copy(&scratch, |_| {});
    let within = scratch.path("project/benches/deep");
    fs::create_dir_all(&within).unwrap();
    let called = || {
        let mut command = program();
        said(command.args(["publish", "../../../record"]).current_dir(&within))
    };
    let nowhere = called();
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(nowhere.stderr.contains("--to DIR"), "{nowhere:?}");
    fs::write(scratch.path("project/benches/workloads.toml"), "").unwrap();
    for _ in 0..2 {
        assert_eq!(called().code, Some(0));
    }
    assert_eq!(fs::read_dir(scratch.path("project/benches/record")).unwrap().count(), 2);
}

fn repeat() {
    let scratch = Scratch::new();
    with_copy(&scratch, |_| {});
    for (name, ms) in [("one", 20), ("two", 16)] {
        copy(&scratch.path("record"), &scratch.path(name), |line| take(line, ms));
    }
    let both = asked(&scratch, "repeat @one @two");
    assert_eq!(both.code, Some(0), "{both:?}");
    assert!(both.stdout.contains("N=3 C=3 library") && both.stdout.contains("works"), "{both:?}");
    // Throughput as 4 : 5 lies 1 apart around 4.5.
    assert!(both.stdout.contains("throughput: over 2 records"), "{}", both.stdout);
    assert!(both.stdout.contains("is 22.2 %") && both.stdout.contains("is 0.0 %"), "{both:?}");
    let json = asked(&scratch, "repeat @one @two @record --json");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["cells"][0]["throughput"]["medians"].as_array().unwrap().len(), 3);
    assert_eq!(asked(&scratch, "repeat @one").code, Some(2), "one repeats nothing");
}

fn check() {
    let scratch = Scratch::new();
    let planted = "--lanes blocking/one,blocking/one+cpu=50% --workloads works --samples 8";
    let run = said(&mut scratch.run(planted));
    assert_eq!(run.code, Some(0), "{run:?}");
    let is_planted = |line: &serde_json::Value| line["lane"].as_str().unwrap().contains("+cpu");
    for (name, times) in [("sound", 150), ("broken", 100)] {
        copy(&scratch.path("record"), &scratch.path(name), |line| {
            // By a little more or less in each round, as it is with a machine.
            let round = line["round"].as_u64().unwrap();
            let us = if is_planted(line) {
                (100_000 + (round + 1) * 5 % 7 * 100) * times / 100
            } else {
                100_000 + round * 3 % 5 * 100
            };
            if !line["job"].is_null() {
                line["job"]["usage"]["user_us"] = us.into();
                line["job"]["usage"]["system_us"] = 0.into();
            }
        });
    }
    let sound = asked(&scratch, "check @sound");
    assert!(sound.stdout.contains("Planted, found: blocking/one+cpu=50% in works N="), "{sound:?}");
    assert!(!sound.stdout.contains("a planted cost was not found"), "{sound:?}");
    assert!(sound.stdout.contains("One lane under two names, CPU: 0 of 4 came out"), "{sound:?}");
    let broken = asked(&scratch, "check @broken");
    assert_eq!(broken.code, Some(1), "{broken:?}");
    let failure = "FAILED: a planted cost was not found: blocking/one+cpu=50%.";
    assert!(broken.stdout.contains(failure), "{broken:?}");

    let plan = fs::read_to_string(scratch.path("sound/plan.json")).unwrap();
    let mut plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    plan["lanes"] = serde_json::json!([]);
    let is_lane = |cell: &serde_json::Value| !cell["lane"].as_str().unwrap().contains('+');
    plan["cells"].as_array_mut().unwrap().retain(is_lane);
    fs::write(scratch.path("sound/plan.json"), plan.to_string()).unwrap();
    let silent = asked(&scratch, "check @sound");
    assert_eq!((silent.code, silent.stdout.as_str()), (Some(2), ""), "{silent:?}");
}
