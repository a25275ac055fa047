use harness::record::Recorded;

use super::*;
use crate::{fixture, summarise};

const HUB: &str = fixture::LANES[1];
const LOCAL: &str = fixture::LANES[2];

/// The fixture's twelve rounds, with a thread for each request in place of one after the other: it
/// takes 30 ms where the others take 20.
fn threads_and_others() -> Recorded {
    let mut recorded = fixture::compared();
    let planned = recorded.plan.cells.iter_mut().map(|planned| &mut planned.cell.lane);
    let taken = recorded.samples.iter_mut().map(|sample| &mut sample.cell.lane);
    planned.chain(taken).filter(|lane| *lane == fixture::LANES[0]).for_each(|lane| {
        *lane = THREADS.to_owned();
    });
    recorded.environment.build.optimised = true;
    recorded
}

/// Changes the jobs of a lane.
fn change(recorded: &mut Recorded, lane: &str, change: impl Fn(&mut harness::sample::JobMeasured)) {
    let of_lane = recorded.samples.iter_mut().filter(|sample| sample.cell.lane.starts_with(lane));
    of_lane.filter_map(|sample| sample.job.as_mut()).for_each(change);
}

/// The same once more with so many documents, as a workload of several loads.
fn also_at(recorded: &mut Recorded, documents: u64, change: impl Fn(&mut harness::sample::Sample)) {
    let point = Point { documents, concurrency: documents, rate: None };
    let mut more = threads_and_others();
    for planned in &mut more.plan.cells {
        planned.cell.point = point;
    }
    for sample in &mut more.samples {
        sample.cell.point = point;
        change(sample);
    }
    recorded.plan.cells.extend(more.plan.cells);
    recorded.samples.extend(more.samples);
}

/// As long as the others, with threads.
fn no_slower(sample: &mut harness::sample::Sample) {
    if let Some(job) = sample.job.as_mut().filter(|_| sample.cell.lane == THREADS) {
        job.wall_ns = job.wall_ns * 2 / 3;
    }
}

fn answered(recorded: &Recorded) -> Answer {
    answer(recorded, &summarise(recorded))
}

#[test]
fn it_names_what_nothing_is_distinguishably_faster_than() {
    let Answer { sentences, cautions, workload } = answered(&threads_and_others());
    assert_eq!(
        sentences[0],
        format!(
            "For many waits take {HUB} or {LOCAL}: with 8 of 100 requests at once, each 20 ms away, \
             no lane is distinguishably faster than these with the raw client."
        )
    );
    assert_eq!((cautions, workload.as_deref()), (Vec::new(), Some("all-at-once")));
}

#[test]
fn costs_that_are_alike_are_called_so() {
    let sentences = answered(&threads_and_others()).sentences;
    assert_eq!(
        sentences[1],
        format!(
            "Against {THREADS} and with the raw client, they take 1.00 times the CPU time (not \
             distinguishable) and 1.00 times the peak memory (not distinguishable)."
        )
    );
}

#[test]
fn costs_that_differ_are_told_with_whom_they_do_not() {
    let mut recorded = threads_and_others();
    change(&mut recorded, HUB, |job| {
        job.usage.as_mut().unwrap().user_us = 25;
        job.rss_bytes_peak = Some(1 << 20);
    });
    let sentences = answered(&recorded).sentences;
    let told = format!("they take 0.50 to 1.00 times the CPU time ({LOCAL} not distinguishable)");
    assert!(sentences[1].contains(&told), "{sentences:?}");
    assert!(sentences[1].contains("0.50 to 1.00 times the peak memory"), "{sentences:?}");
}

#[test]
fn where_time_tells_nothing_it_says_so_and_looks_at_cpu_time() {
    let mut recorded = threads_and_others();
    recorded.samples.iter_mut().for_each(no_slower);
    let first = |recorded: &Recorded| answered(recorded).sentences[0].clone();
    let told = first(&recorded);
    assert!(told.contains("the wall time does not decide"), "{told}");
    assert!(told.ends_with("and CPU time does not tell them apart either."), "{told}");
    change(&mut recorded, LOCAL, |job| job.usage.as_mut().unwrap().user_us = 25);
    let told = first(&recorded);
    assert!(
        told.ends_with(&format!("but {LOCAL} takes no more CPU time than any other.")),
        "{told}"
    );
}

#[test]
fn it_pays_from_the_load_on_that_threads_are_slower_at() {
    let one = threads_and_others();
    assert!(answered(&one).sentences[2].contains("at more than one load"), "{one:?}");
    let mut several = threads_and_others();
    several.plan.cells.clear();
    several.samples.clear();
    also_at(&mut several, 100, no_slower);
    also_at(&mut several, 200, |_| {});
    also_at(&mut several, 400, |_| {});
    let told = &answered(&several).sentences[2];
    assert_eq!(
        *told,
        "In wall time it pays from 200 at once on; in CPU time at no load for certain; at 100 at once \
         the wall times of all lanes are not distinguishable (all-at-once, raw client)."
    );
}

#[test]
fn a_load_at_which_it_pays_below_one_at_which_it_does_not_is_none() {
    let mut recorded = threads_and_others();
    recorded.plan.cells.clear();
    recorded.samples.clear();
    also_at(&mut recorded, 100, |_| {});
    also_at(&mut recorded, 200, |_| {});
    // At the greatest threads are slower than one of the others, and no slower than what to take.
    also_at(&mut recorded, 400, |sample| {
        if let Some(job) = sample.job.as_mut().filter(|_| sample.cell.lane == THREADS) {
            job.wall_ns /= 2;
        }
    });
    let sentences = answered(&recorded).sentences;
    assert!(sentences[0].starts_with(&format!("For many waits take {THREADS}:")), "{sentences:?}");
    assert!(sentences[1].starts_with(&format!("That is {THREADS} itself")), "{sentences:?}");
    assert_eq!(sentences[2], "So there is no load from which on anything else pays.");
}

#[test]
fn without_threads_nothing_is_held_against_them() {
    let mut recorded = threads_and_others();
    recorded.plan.cells.retain(|planned| planned.cell.lane != THREADS);
    recorded.samples.retain(|sample| sample.cell.lane != THREADS);
    let sentences = answered(&recorded).sentences;
    assert!(sentences[1].ends_with(&format!("{THREADS} was not ranked.")), "{sentences:?}");
}

#[test]
fn a_record_that_is_too_small_says_so() {
    let mut recorded = threads_and_others();
    recorded.samples.retain(|sample| sample.round < 2);
    assert_eq!(answered(&recorded).sentences, too_small());
    assert_eq!(answered(&recorded).workload, None);
}

#[test]
fn what_takes_away_from_it_is_said_before_it() {
    let mut recorded = threads_and_others();
    recorded.samples.retain(|sample| sample.round < 5);
    recorded.environment.build.optimised = false;
    let crashed =
        fixture::recorded().samples.into_iter().find(|sample| sample.job.is_none()).unwrap();
    let cell = recorded.samples[0].cell.clone();
    recorded.samples.push(harness::sample::Sample { cell, ..crashed });
    let cautions = answered(&recorded).cautions;
    assert!(cautions[0].contains("its times mean nothing"), "{cautions:?}");
    assert!(cautions[1].contains("one cell has failed"), "{cautions:?}");
    assert!(cautions[2].contains("as few as 5 samples"), "{cautions:?}");
}
