//! Lanes that misbehave: told, recorded, and no hindrance for the others.

use harness::Gate;
use libtest_mimic::Trial;

use crate::support::{DOOR, LANES, Scratch, program, row, said, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_lane_that_crashes_is_told_and_the_rest_goes_on", crash),
        trial("a_lane_that_hangs_is_killed_at_the_limit", hang),
        trial("a_wrong_answer_does_not_count", wrong),
        trial("more_in_flight_than_allowed_does_not_count", greedy),
        trial("less_in_flight_than_promised_does_not_count", lazy),
        trial("a_refused_connection_is_told_with_its_url", deaf),
        trial("a_job_that_a_lane_cannot_hold_is_refused_at_the_start", huge),
        trial("a_test_run_fails_with_its_lane", verify),
    ]
}

/// Runs the lane beside a sound one, and finds one line of standard error and one note for it.
fn misbehaves(lane: &str, more: &str, gate: Gate, why: &str) -> Scratch {
    let scratch = Scratch::new();
    let arguments = format!("--lanes blocking/many,{lane} --workloads waits --samples 2 {more}");
    let run = said(&mut scratch.run(&arguments));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.lines().any(|line| line.contains(lane) && line.contains(why)), "{run:?}");
    // Notes are wrapped like every other line.
    let notes = run.stdout.split_once("\n[1] ").map_or("", |(_, notes)| notes).replace('\n', " ");
    assert!(notes.contains(why), "{}", run.stdout);
    let sound = row(&run.stdout, "N=12 C=4 raw", "blocking/many");
    assert!(sound.contains("± ") && sound.ends_with(" 1"), "{}", run.stdout);
    assert!(!row(&run.stdout, "N=12 C=4 raw", lane).contains('±'), "{}", run.stdout);

    let samples = scratch.recorded().samples;
    let voids = samples.iter().filter_map(|s| Some((&s.cell.lane, s.void.as_ref()?)));
    assert!(voids.clone().count() > 0);
    for (voided, void) in voids {
        // The lane that was chosen last runs twice, under two names.
        let voided = voided.trim_end_matches("+again");
        assert_eq!((voided, void.gate), (lane, gate), "{void:?}");
    }
    scratch
}

fn crash() {
    let why = "crashed with signal 6, SIGABRT: something is very wrong here";
    let scratch = misbehaves("odd/crash", "", Gate::Ended, why);
    let samples = scratch.recorded().samples;
    let crashes = samples.iter().filter(|sample| sample.void.is_some()).count();
    assert_eq!(crashes, 2 * 2 * 2, "once for each point, client and name, and not again");
}

fn hang() {
    let why = "killed after 2 s without an end";
    let scratch = misbehaves("odd/hang", "--limit 2s", Gate::InTime, why);
    let recorded = scratch.recorded();
    let hung = recorded.samples.iter().filter(|sample| sample.void.is_some());
    // Of two points with each client and name, the one with more in flight is left out where it came
    // second, and hung as well where it came first.
    let hung = hung.count();
    let left_out = recorded.ending.unwrap().left_out;
    let why = "left out after it hung in waits at N = 12";
    assert!(left_out.iter().all(|out| out.why == why), "{left_out:?}");
    assert!(left_out.iter().all(|out| out.cell.point.concurrency == 4), "{left_out:?}");
    assert_eq!(hung + left_out.len(), 2 * 2 * 2);
}

fn wrong() {
    misbehaves("odd/wrong", "", Gate::Answer, "answered wrong: moves is ");
}

fn greedy() {
    misbehaves("odd/greedy", "", Gate::InFlightMost, "requests in flight, allowed ");
}

fn lazy() {
    misbehaves("odd/lazy", "", Gate::InFlightLeast, "had 1 requests in flight, not ");
}

fn deaf() {
    let why = "failed: GET http://127.0.0.1:9/api/v2/pokemon/1";
    misbehaves("odd/deaf", "", Gate::Completed, why);
}

fn huge() {
    let scratch = Scratch::new();
    let arguments = "--lanes blocking/many,odd/huge --workloads works --samples 1";
    let run = said(&mut scratch.run(arguments));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("memory mappings, but vm.max_map_count is "), "{run:?}");
    assert!(run.stderr.contains("run `sudo sysctl -w vm.max_map_count="), "{run:?}");
    assert!(scratch.recorded().samples.iter().all(|sample| sample.cell.lane != "odd/huge"));
}

fn verify() {
    let run = said(program().env(DOOR, "bench").env(LANES, "wrong").arg("cpu_bound"));
    assert_eq!(run.code, Some(101), "{run:?}");
    assert!(run.stdout.contains("odd/wrong: answered wrong: moves is "), "{run:?}");
    assert!(!run.stdout.contains("blocking/many: "), "{run:?}");
}
