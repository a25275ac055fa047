//! The demonstration: in a file, in a small terminal, interrupted, and with lanes that fail.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, kill_process};

use crate::endings::{await_end, children_of, grip};
use crate::support::{LANES, on_terminal, program, said, trial, wider_than};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("the_demo_in_a_file_is_plain_text", piped),
        trial("the_demo_fits_a_small_terminal", small_terminal),
        trial("ctrl_c_ends_the_demo_and_all_its_children", ctrl_c),
        trial("who_reads_only_the_start_of_the_demo_has_done_nothing_wrong", closed_pipe),
        trial("a_lane_that_fails_in_the_demo_is_one_line", failure),
        trial("a_demo_that_nobody_would_watch_is_refused", too_long),
    ]
}

/// With the real lanes: odd ones have other names.
fn demo(arguments: &str) -> Command {
    let mut command = program();
    command.env(LANES, "registered").env("TERM", "xterm-256color");
    command.arg("demo").args(arguments.split_whitespace());
    command
}

fn piped() {
    let demo = said(&mut demo("--documents 12 --delay 20ms"));
    assert_eq!((demo.code, demo.stderr.as_str()), (Some(0), ""), "{demo:?}");
    let text = demo.stdout;
    assert!(!text.contains(['\x1b', '\r']), "no escape codes, no line that changes: {text}");
    assert_eq!(wider_than(&text, 100), Vec::<&str>::new());
    // The files are the truth, and the diff is theirs.
    let source = include_str!("../../../crates/blocking-style/src/fetch.rs");
    let call = source.lines().find(|line| line.contains(".call()")).unwrap();
    assert!(text.contains(&format!("\n{call}\n")) && text.contains(&format!("\n- {call}\n")));
    assert!(text.contains("\n+ pub async fn fetch(agent: &Agent, url: &str)"), "{text}");
    assert!(text.contains(" lines had to change, into "), "{text}");
    for lane in ["blocking/sequential", "blocking/threads", "stackful/may", "stackful/hub"]
        .iter()
        .chain(&["stackless/tokio", "stackless/tokio-local"])
    {
        let row = text.lines().find(|line| line.split_whitespace().next() == Some(lane));
        let row = row.unwrap_or_else(|| panic!("{lane} in {text}"));
        assert!(row.contains(['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']), "{row}");
        assert!(row.contains("ms") && row.contains("MiB"), "{row}");
    }
    // On one thread nobody goes on; how it is elsewhere is a matter of time.
    assert!(text.contains("5 of 5 stood still"), "{text}");
    assert_eq!(text.matches(" stood still").count(), 4, "{text}");
    assert_eq!(text.matches("\ntask 3  ").count(), 2, "{text}");
}

/// What is seen of a line that changes: what comes after the last return to its start.
fn visible(shown: &str) -> String {
    let mut text = String::new();
    let mut rest = shown;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        text += before;
        let end = after.find(|character: char| character.is_ascii_alphabetic()).unwrap();
        rest = &after[end + 1..];
    }
    text + rest
}

fn small_terminal() {
    let mut command = demo("--documents 50 --delay 4ms");
    let (mut child, terminal) = on_terminal(command.env("NO_COLOR", "1"), 40, 10);
    let shown = read(terminal, None);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(shown.contains("\x1b[2K"), "a line changes: {shown}");
    let styled = shown.split("\x1b[").skip(1).find(|rest| !rest.starts_with("2K"));
    assert_eq!(styled, None, "no colour, no cursor that is hidden or moved: {shown}");
    let text = visible(&shown).replace('\r', "\n");
    assert_eq!(wider_than(&text, 40), Vec::<&str>::new());
    assert!(text.contains("4. The trap") && text.contains("5 of 5 stood still"), "{text}");
}

fn ctrl_c() {
    // The first lane has one request in flight for ten seconds.
    let mut command = demo("--documents 1 --delay 10s");
    let (mut child, mut terminal) = on_terminal(&mut command, 100, 30);
    let before = read(terminal.try_clone().unwrap(), Some("1 in flight"));
    assert!(before.contains("\x1b[38;5;"), "colours: {before}");
    let children: Vec<_> = children_of(child.id()).into_iter().map(grip).collect();
    assert_eq!(children.len(), 2, "an origin and a lane");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut after = Vec::new();
    let _ = terminal.read_to_end(&mut after);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    children.iter().for_each(await_end);
    let shown = before + &String::from_utf8_lossy(&after);
    assert!(shown.ends_with('\n'), "the prompt gets a line of its own: {shown:?}");
    assert!(!shown.contains("\x1b[?"), "no mode of the terminal was changed: {shown:?}");
}

/// What the terminal gets, to its end or to the first `until`.
fn read(mut terminal: File, until: Option<&str>) -> String {
    let mut shown = Vec::new();
    let mut bytes = [0; 4096];
    // A terminal whose other end is gone gives an error, not an end.
    while let Ok(count @ 1..) = terminal.read(&mut bytes) {
        shown.extend(&bytes[..count]);
        let text = String::from_utf8_lossy(&shown);
        if until.is_some_and(|until| text.contains(until)) {
            break;
        }
    }
    String::from_utf8_lossy(&shown).into_owned()
}

fn closed_pipe() {
    let mut child = demo("--documents 2 --delay 1ms").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

fn failure() {
    let demo = said(program().args(["demo", "--documents", "2", "--delay", "1ms"]));
    assert_eq!(demo.code, Some(1), "{demo:?}");
    assert_eq!(demo.stderr.lines().count(), 1, "{demo:?}");
    let why = "compare: blocking/sequential: crashed with exit code 2: ";
    assert!(demo.stderr.starts_with(why), "{demo:?}");
}

fn too_long() {
    let demo = said(&mut demo("--documents 1000"));
    assert_eq!((demo.code, demo.stdout.as_str()), (Some(2), ""), "{demo:?}");
    let why = "compare: one after the other, 1000 × 100 ms is 100.00 s; 10 s is the most\n";
    assert_eq!(demo.stderr, why);
}
