//! Servers in place of lanes: measured, printed, kept, and ended.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use harness::record::How;
use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, kill_process};
use serving::Recorded;

use crate::endings::{await_end, children_of, grip};
use crate::support::{Said, Scratch, exists, program, said, trial, wider_than};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("servers_are_measured_and_printed_again", measured),
        trial("servers_stand_among_the_workloads", among_workloads),
        trial("a_record_of_servers_is_published", published),
        trial("a_server_that_there_is_not_is_told", misused),
        trial("ctrl_c_ends_servers_and_their_clients", ctrl_c),
        trial("a_killed_run_leaves_no_server", killed),
    ]
}

const SCENES: &str = r#"
[[handler]]
name = "nothing"
says = "answers at once"

[[handler]]
name = "waits"
says = "waits 20 ms"
wait_us = 20_000

[[handler]]
name = "hangs"
says = "waits three seconds"
wait_us = 2_900_000

[[scene]]
name = "together"
shows = "Who waits for whom."
load = "at-once"
handlers = ["waits"]
clients = [1, 5]
picture = [5]

[[scene]]
name = "rising"
shows = "When it is too much."
load = "open"
handlers = ["nothing"]
clients = [2]
percent = [1, 100]
for_ms = 20

[[scene]]
name = "slow"
shows = "Who is kept from work."
load = "closed"
handlers = ["nothing"]
clients = [2]
slow = [0, 1]
for_ms = 20

[[scene]]
name = "idle"
shows = "What stays."
load = "idle"
handlers = ["nothing"]
clients = [2, 4, 6]

[[scene]]
name = "hanging"
shows = "What nobody waits for."
load = "at-once"
handlers = ["hangs"]
clients = [1]
"#;

const TIMED: &str = "together,rising,slow,idle";

/// `compare servers` on two servers that wait differently, with the record in `scratch`.
fn servers(scratch: &Scratch, scenes: &str) -> Command {
    let file = scratch.path("s.toml");
    fs::write(&file, SCENES).unwrap();
    let mut command = program();
    command.args(["servers", "--servers", "blocking/pool,stackless/hyper-local", "--samples=2"]);
    command.args(["--load-limit=100", "--scenes", scenes, "--file"]).arg(file);
    command.arg("--record").arg(scratch.path("record"));
    command
}

fn recorded(scratch: &Scratch) -> Recorded {
    serving::record::read(&scratch.path("record")).unwrap()
}

fn measured() {
    let scratch = Scratch::new();
    let markdown = scratch.path("tables.md");
    let run = said(servers(&scratch, TIMED).arg("--markdown").arg(&markdown));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(wider_than(&run.stdout, 100), Vec::<&str>::new());
    for words in ["blocking/pool", "stackless/hyper-local", "Who waits for whom.", "What stays."] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert!(fs::read_to_string(markdown).unwrap().contains("| "));
    for name in ["report.md", "report.html", "tables.csv"] {
        assert!(exists(&scratch.path("record").join(name)), "{name}");
    }
    let table = said(program().arg("table").arg(scratch.path("record")));
    assert_eq!((table.code, table.stdout), (Some(0), run.stdout));
    let json = said(program().args(["table", "--json"]).arg(scratch.path("record")));
    let summary: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(summary["scenes"].as_array().unwrap().len(), 4);
    what_was_measured(&recorded(&scratch));
}

fn what_was_measured(recorded: &Recorded) {
    assert_eq!(recorded.ending.as_ref().unwrap().how, How::Complete);
    // Two servers; per round two points, two, two and one; and each finds its ceiling first.
    assert_eq!(recorded.samples.len(), 2 * (2 * 7 + 1));
    let failed = recorded.samples.iter().filter_map(|sample| sample.void.as_ref());
    assert_eq!(failed.collect::<Vec<_>>(), Vec::<&serving::sample::Void>::new());
    for sample in recorded.samples.iter().filter(|sample| !sample.warmup) {
        let (cell, seen) = (&sample.cell, sample.clients.as_ref().unwrap());
        assert!(sample.server.unwrap().held.private_bytes > 0);
        match (cell.scene.as_str(), cell.server.as_str()) {
            ("together", server) => {
                // The fifth waits for one of the pool's four workers.
                let turns = if server == "blocking/pool" && seen.answered == 5 { 2 } else { 1 };
                assert!(seen.wall_ns >= turns * 20_000_000, "{sample:?}");
                assert_eq!(seen.requests.len(), if seen.answered == 5 { 5 } else { 0 });
            }
            ("rising", _) => assert_eq!(sample.rate.is_some(), cell.point.percent == Some(1)),
            ("idle", server) => {
                let open: Vec<_> = sample.steps.iter().map(|step| step.open).collect();
                let stays = if server == "blocking/pool" { [0, 0, 0] } else { [2, 4, 6] };
                assert_eq!(open, stays, "{server}");
            }
            _ => {}
        }
    }
}

fn among_workloads() {
    let scratch = Scratch::new();
    let file = scratch.path("s.toml");
    fs::write(&file, SCENES.split("[[scene]]\nname = \"rising\"").next().unwrap()).unwrap();
    let run = |workloads: &str, lanes: &str| {
        let mut command = program();
        command.args(["run", "--workloads", workloads, "--lanes", lanes, "--samples=1"]);
        command.args(["--load-limit=100", "--file"]).arg(&file);
        said(command.arg("--record").arg(scratch.path("record")))
    };
    let both = run("servers,few-to-many", "stackful/hub");
    assert_eq!((both.code, both.stdout.as_str()), (Some(2), ""));
    assert!(both.stderr.contains("`servers` stands alone"), "{both:?}");
    let alone = run("servers", "stackful/hub");
    assert_eq!(alone.code, Some(0), "{alone:?}");
    assert!(alone.stdout.contains("stackful/hub") && !alone.stdout.contains("blocking/pool"));
    let again = run("servers", "stackful/hub");
    assert_eq!(again.code, Some(2), "it holds a record already: {again:?}");
}

fn published() {
    let scratch = Scratch::new();
    let run = said(&mut servers(&scratch, "together"));
    assert_eq!(run.code, Some(0), "{run:?}");
    let publish = said(
        program().arg("publish").arg(scratch.path("record")).arg("--to").arg(scratch.path("kept")),
    );
    assert_eq!(publish.code, Some(0), "{publish:?}");
    let own = std::path::PathBuf::from(publish.stdout.trim());
    assert!(exists(&own.join("serving.jsonl.gz")) && !exists(&own.join("serving.jsonl")));
    let kept = serving::record::read(&own).unwrap();
    assert_eq!(kept.samples, recorded(&scratch).samples);
    let words = kept.environment.arguments.join(" ");
    assert!(!words.contains(&scratch.0.display().to_string()), "{words}");
    let table = said(program().arg("table").arg(&own));
    assert_eq!(table.stdout, run.stdout);
    let repeat = said(program().arg("repeat").args([&own, &own]));
    assert_eq!(repeat.code, Some(2));
    assert!(repeat.stderr.contains("is a record of servers"), "{repeat:?}");
}

fn misused() {
    let scratch = Scratch::new();
    for (arguments, why) in [
        (["--servers", "stackful/hubb"], "no server has the id `stackful/hubb`; there are: "),
        (["--scenes", "servers"], "no scene is named `servers`; there are: servers-at-once"),
        (["--file", "/nowhere.toml"], "/nowhere.toml: "),
    ] {
        let run = said(program().arg("servers").args(arguments));
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        assert!(run.stderr.contains(why) && run.stderr.lines().count() == 1, "{}", run.stderr);
    }
    let file = scratch.path("broken.toml");
    fs::write(&file, SCENES.replace("clients = [1, 5]", "client = [1, 5]")).unwrap();
    let run = said(program().args(["servers", "--file"]).arg(&file));
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("broken.toml:21: unknown field `client`"), "{}", run.stderr);
    let list = said(program().args(["servers", "--list"]));
    assert_eq!(list.code, Some(0));
    assert!(
        list.stdout.contains("stackless/hyper-per-core") && list.stdout.contains("other/nginx")
    );
}

/// A run whose clients wait for an answer, ended by `signal`; no child of it is left.
fn ended_by(scratch: &Scratch, signal: Signal) -> Said {
    let run = servers(scratch, "hanging").spawn().unwrap();
    // Two: a server, and its clients. Nothing tells when they are there but that they are.
    let deadline = Instant::now() + Duration::from_secs(60);
    let children = loop {
        let children = children_of(run.id());
        if children.len() == 2 {
            break children;
        }
        assert!(Instant::now() < deadline, "{children:?}");
        thread::yield_now();
    };
    let children: Vec<_> = children.into_iter().map(grip).collect();
    kill_process(Pid::from_child(&run), signal).unwrap();
    let said = Said::from(run.wait_with_output().unwrap());
    children.iter().for_each(await_end);
    said
}

fn ctrl_c() {
    let scratch = Scratch::new();
    let run = ended_by(&scratch, Signal::INT);
    assert_eq!(run.code, Some(130), "{run:?}");
    assert_eq!(recorded(&scratch).ending.unwrap().how, How::Interrupted);
}

fn killed() {
    let scratch = Scratch::new();
    let run = ended_by(&scratch, Signal::KILL);
    assert_eq!(run.code, None, "{run:?}");
    assert_eq!(recorded(&scratch).ending, None);
}
