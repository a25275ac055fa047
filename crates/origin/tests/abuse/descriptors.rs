//! Out of descriptors: who waits, and who spins.

use std::process::{Command, Stdio};

use super::cases::get;
use super::common::{Client, Origin, SERVERS, command};
use super::still_serves;

/// An origin that may have few descriptors, and a connection that it serves.
fn with_few_descriptors(server: &str) -> (Origin, Client) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 40; exec \"$0\" \"$@\""]).arg(command().get_program());
    let origin =
        Origin::of(shell.args(["--server", server, "--threads", "1"]).stderr(Stdio::null()));
    let mut served = origin.connect();
    assert_eq!(served.get("/api/v2/pokemon/1").status, 200);
    (origin, served)
}

fn stats_on(client: &mut Client) -> origin::Stats {
    serde_json::from_slice(&client.get("/stats").body).unwrap()
}

#[test]
fn out_of_descriptors_ours_wait_and_go_on() {
    for server in SERVERS.into_iter().filter(|server| *server != "may_minihttp") {
        let (origin, mut served) = with_few_descriptors(server);
        let mut others: Vec<_> = (0..50).map(|_| origin.connect()).collect();
        let mut last = others.pop().unwrap();
        last.send(&get(""));
        while stats_on(&mut served).exhausted == 0 {}
        let before = stats_on(&mut served).exhausted;
        // Meanwhile it has tried 15 times. Who spins tries hundred thousands of times.
        served.get("/api/v2/pokemon/1?delay_us=300000");
        let tried = stats_on(&mut served).exhausted - before;
        assert!(tried < 1_000, "{server}: {tried}");
        drop(others);
        assert_eq!(last.answer(true).status, 200, "{server}");
        still_serves(&origin, "a lack of descriptors");
    }
}

#[test]
fn out_of_descriptors_may_minihttp_spins() {
    let (origin, _served) = with_few_descriptors("may_minihttp");
    let _others: Vec<_> = (0..50).map(|_| origin.connect()).collect();
    // Nobody asks for anything, and it uses half a second of CPU.
    let before = cpu_ticks(&origin);
    while cpu_ticks(&origin) < before + 50 {
        std::thread::yield_now();
    }
}

/// The CPU that an origin has used, user and system, in hundredths of a second (proc_pid_stat(5)).
fn cpu_ticks(origin: &Origin) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", origin.process.id())).unwrap();
    let (_, behind_name) = stat.rsplit_once(')').unwrap();
    behind_name.split(' ').skip(12).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
