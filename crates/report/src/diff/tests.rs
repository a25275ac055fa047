use super::*;
use crate::fixture;
use crate::table::{Style, WIDTH};

/// The fixture, and once more with some samples' jobs changed.
fn changed(lane: &str, change: impl Fn(&mut harness::sample::JobMeasured)) -> (Recorded, Recorded) {
    let before = fixture::compared();
    let mut after = before.clone();
    for sample in after.samples.iter_mut().filter(|sample| sample.cell.lane == lane) {
        change(sample.job.as_mut().unwrap());
    }
    (before, after)
}

fn wall_times(times: f64) -> impl Fn(&mut harness::sample::JobMeasured) {
    move |job| job.wall_ns = (job.wall_ns as f64 * times) as u64
}

fn text(diff: &Diff) -> String {
    let sheet = diff.sheet(0.05).map(|sheet| sheet.terminal(Style::Plain)).unwrap_or_default();
    assert!(sheet.iter().all(|line| line.chars().count() <= WIDTH), "{sheet:#?}");
    [diff.preamble(), sheet, diff.conclusions(0.05)].concat().join("\n")
}

#[test]
fn the_same_twice_has_not_changed() {
    let recorded = fixture::compared();
    let diff = diff(&recorded, &recorded);
    assert_eq!(diff.cells.len(), 3 * 3, "three lanes by three metrics; a variant is no contestant");
    assert_eq!((diff.changes().count(), diff.cautions.len()), (0, 0));
    assert!(diff.only_before.is_empty() && diff.only_after.is_empty());
    assert!(text(&diff).ends_with("Nothing has changed distinguishably, of 9 figures."));
}

#[test]
fn a_lane_that_has_become_slower_is_a_regression_in_wall_alone() {
    let (before, after) = changed(fixture::LANES[1], wall_times(1.2));
    let worse = diff(&before, &after);
    let regressions: Vec<_> = worse.regressions(0.05).collect();
    assert_eq!(regressions.len(), 1, "{regressions:?}");
    let Changed { cell, metric, ratio, interval, .. } = regressions[0];
    assert_eq!((cell.lane.as_str(), *metric), (fixture::LANES[1], Metric::Wall));
    assert!((ratio.unwrap() - 1.2).abs() < 0.01 && interval.unwrap().contains(1.2));
    assert_eq!(worse.regressions(0.25).count(), 0, "it is less than a quarter");
    let told = text(&worse);
    assert!(told.contains("24.0  1.20  1.20 to 1.20  regression"), "{told}");
    // The other way around it is a change, and none to mind.
    let better = diff(&after, &before);
    assert_eq!((better.changes().count(), better.regressions(0.0).count()), (1, 0));
    assert!(text(&better).contains("1 of 9 figures; become more by over 5 %: 0."));
}

#[test]
fn what_is_below_the_noise_floor_of_either_record_is_no_change() {
    let (before, mut after) = changed(fixture::LANES[1], wall_times(1.2));
    let again = format!("{}+again", fixture::LANES[2]);
    for sample in after.samples.iter_mut().filter(|sample| sample.cell.lane == again) {
        wall_times(1.4)(sample.job.as_mut().unwrap());
    }
    for diff in [diff(&before, &after), diff(&after, &before)] {
        assert!((diff.floors[&Metric::Wall] - 1.4f64.ln()).abs() < 0.01, "{:?}", diff.floors);
        assert_eq!(diff.changes().count(), 0);
    }
}

#[test]
fn cells_that_only_one_has_are_named() {
    let before = fixture::compared();
    let mut after = before.clone();
    after.plan.cells.retain(|planned| planned.cell.lane != fixture::LANES[1]);
    let found = diff(&before, &after);
    assert_eq!((found.only_before.len(), found.only_after.len(), found.failed.len()), (1, 0, 0));
    assert_eq!(found.cells.len(), 2 * 3);
    assert!(text(&found).contains("Only before: all-at-once, N = 100, C = 8, stackful/hub, raw."));
    assert!(text(&diff(&after, &before)).contains("Only after: all-at-once"));
}

#[test]
fn a_cell_that_fails_only_after_says_why() {
    let before = fixture::compared();
    let mut after = before.clone();
    let of_hub = |sample: &&mut Sample| sample.cell.lane == fixture::LANES[1];
    after.samples.iter_mut().filter(of_hub).for_each(fixture::disturb);
    let found = diff(&before, &after);
    let counts = (found.only_before.len(), found.failed.len());
    assert_eq!(counts, (1, 0), "a busy machine is no failure of the lane");
    after.samples.iter_mut().filter(of_hub).for_each(fixture::fail);
    let found = diff(&before, &after);
    assert_eq!((found.only_before.len(), found.failed.len()), (1, 1));
    let told = text(&found);
    assert!(told.contains("Failed after, and not before: all-at-once, N = 100"), "{told}");
    assert!(!told.contains("Only before"), "it is told once: {told}");
}

#[test]
fn another_machine_is_a_caution() {
    let before = fixture::compared();
    let mut after = before.clone();
    after.environment.cpu_model = "another one".into();
    after.environment.build.rustc = "rustc 1.99.0".into();
    let cautions = diff(&before, &after).cautions;
    assert_eq!(cautions.len(), 2);
    assert!(cautions[0].ends_with(", another one after"), "{cautions:?}");
    assert_eq!(cautions[1], "compiler: rustc 1.95.0 before, rustc 1.99.0 after");
}

#[test]
fn a_given_wall_cannot_change() {
    let (mut before, mut after) = changed(fixture::LANES[1], wall_times(2.0));
    for recorded in [&mut before, &mut after] {
        let planned = recorded.plan.cells.iter_mut().map(|planned| &mut planned.cell);
        let taken = recorded.samples.iter_mut().map(|sample| &mut sample.cell);
        planned.chain(taken).for_each(|cell| cell.point.rate = Some(100));
        for job in recorded.samples.iter_mut().filter_map(|sample| sample.job.as_mut()) {
            job.latencies_ns = Some(vec![(40_000_000, 100)]);
            job.sent_in_time = Some(100);
        }
    }
    let diff = diff(&before, &after);
    assert!(diff.cells.iter().all(|cell| cell.metric != Metric::Wall) && !diff.cells.is_empty());
}
