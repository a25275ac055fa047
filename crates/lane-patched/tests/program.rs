//! The program `patched`, as it is started by a person: one blocking program on OS threads and on
//! green threads, and the system calls of both, as strace counts them.
//!
//! Where there is no strace the test shows as ignored, with the way to get it. With
//! `COMPARE_TESTS_MUST_RUN=1` in the environment it fails instead.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Stdio};

use harness::Interrupt;
use harness::inspect::system_calls::{self, Calls, Summary};
use lane_cases::HoldingServer;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

const PROGRAM: &str = env!("CARGO_BIN_EXE_patched");
const DOCUMENTS: u64 = 200;
const IN_FLIGHT: u64 = 50;
const WATCHED: [&str; 3] = ["green", "--watch", "10ms"];

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("both ways fetch the same", fetch_the_same),
        Trial::test("misuse is told in one line", tell_misuse),
        Trial::ignorable_test("the system calls of both ways", compare_system_calls),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Answers nobody before `IN_FLIGHT` have asked.
fn server() -> HoldingServer {
    HoldingServer::start(IN_FLIGHT, DOCUMENTS)
}

fn arguments(way: &[&str], server: &HoldingServer) -> Vec<String> {
    let url = format!("http://{}/3", server.address);
    let what = [url, DOCUMENTS.to_string(), IN_FLIGHT.to_string()];
    way.iter().map(|part| (*part).to_owned()).chain(what).collect()
}

fn run(way: &[&str]) -> String {
    let server = server();
    let output = Command::new(PROGRAM).args(arguments(way, &server)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!server.has_given_up());
    assert_eq!(server.in_flight_peak(), IN_FLIGHT);
    let line = String::from_utf8(output.stdout).unwrap();
    line.rsplit_once(',').unwrap().0.to_owned()
}

fn fetch_the_same() -> Result<(), Failed> {
    let (threads, green, watched) = (run(&["threads"]), run(&["green"]), run(&WATCHED));
    assert!(green.starts_with("200 documents, 3"), "{green}");
    assert_eq!(threads, green);
    assert_eq!(threads, watched);
    Ok(())
}

fn tell_misuse() -> Result<(), Failed> {
    for arguments in [
        &[][..],
        &["fibers", "http://127.0.0.1:1/"],
        &["green"],
        &["green", "x", "y"],
        &["green", "--watch"],
        &["green", "--watch", "soon", "http://127.0.0.1:1/"],
        &["green", "--watch", "0s", "http://127.0.0.1:1/"],
        &["threads", "--watch", "1s", "http://127.0.0.1:1/"],
    ] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1);
    }
    Ok(())
}

fn compare_system_calls() -> Result<Completion, Failed> {
    if !system_calls::is_there() {
        return skip(system_calls::ABSENT);
    }
    let (threads, green) = (traced("threads")?, traced("green")?);
    if threads.is_empty() || green.is_empty() {
        return skip("strace may not trace here");
    }
    print(&threads, &green);
    let count = |calls: &BTreeMap<String, Calls>, name| calls.get(name).map_or(0, |it| it.calls);
    assert_eq!(count(&threads, "clone3") + count(&threads, "clone"), IN_FLIGHT);
    assert_eq!(count(&green, "clone3") + count(&green, "clone"), 0);
    assert_eq!(count(&threads, "epoll_ctl"), 0);
    assert!(count(&green, "epoll_ctl") >= IN_FLIGHT);
    // The program asks for the same; what it waits for shows as EAGAIN where nobody blocks.
    assert!(count(&green, "sendto") >= DOCUMENTS && count(&threads, "sendto") >= DOCUMENTS);
    Ok(Completion::Completed)
}

fn skip(why: &str) -> Result<Completion, Failed> {
    match std::env::var_os("COMPARE_TESTS_MUST_RUN") {
        Some(value) if !value.is_empty() => Err(why.into()),
        _ => Ok(Completion::ignored_with(why)),
    }
}

fn traced(way: &str) -> Result<BTreeMap<String, Calls>, Failed> {
    let server = server();
    let arguments = arguments(&[way], &server);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (mut command, summary) = Summary::of(Command::new(PROGRAM).args(&arguments))?;
    command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    Ok(summary.read(&Interrupt::listen()?)?)
}

/// Both beside each other; of few calls none is told.
fn print(threads: &BTreeMap<String, Calls>, green: &BTreeMap<String, Calls>) {
    let names: std::collections::BTreeSet<_> = threads.keys().chain(green.keys()).collect();
    println!("\n    {:<16}{:>22}{:>22}", "calls (failed)", "threads", "green");
    for name in names {
        let [threads, green] =
            [threads, green].map(|calls| calls.get(name).copied().unwrap_or_default());
        if threads.calls.max(green.calls) >= IN_FLIGHT / 2 {
            let told = |it: Calls| format!("{} ({})", it.calls, it.errors);
            println!("    {name:<16}{:>22}{:>22}", told(threads), told(green));
        }
    }
}
