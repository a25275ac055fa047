use harness::Recorded;

use super::*;
use crate::table::{Style, WIDTH};
use crate::{fixture, summarise};

/// Makes the samples of a lane take so many times as long.
fn slower(recorded: &mut Recorded, lane: &str, times: f64) {
    for sample in recorded.samples.iter_mut().filter(|sample| sample.cell.lane == lane) {
        let job = sample.job.as_mut().unwrap();
        job.wall_ns = (job.wall_ns as f64 * times) as u64;
    }
}

fn of(quick: &Recorded, full: &Recorded) -> Agreement {
    agreement(&summarise(quick), &summarise(full))
}

#[test]
fn a_record_agrees_with_itself() {
    let recorded = fixture::compared();
    let agreement = of(&recorded, &recorded);
    let wall = agreement.questions[&Question::Wall];
    // The slow one is told from both others, and these not from one another.
    let expected = Counts { same: 3, same_and_told: 2, ..Counts::default() };
    assert_eq!((agreement.groups, wall), (1, expected));
    assert_eq!(agreement.all.verdicts(), 6, "wall and RSS; CPU only beside");
    // One of three cells is beaten by wall, and none by RSS.
    let expected = Counts { same: 6, same_and_told: 1, ..Counts::default() };
    assert_eq!(agreement.cells, expected);
    assert!(agreement.is_enough(1.0) && agreement.differing.is_empty());
    assert!(agreement.differing_sheet(10).is_none());
}

#[test]
fn what_only_one_can_tell_and_what_is_reversed_are_counted_apart() {
    let full = fixture::compared();
    let [slow, hub, _] = fixture::LANES;
    let mut quick = full.clone();
    slower(&mut quick, slow, 0.4);
    slower(&mut quick, hub, 1.2);
    let agreement = of(&quick, &full);
    let wall = agreement.questions[&Question::Wall];
    assert_eq!((wall.same, wall.only_quick, wall.only_full, wall.reversed), (0, 1, 0, 2));
    assert_eq!(agreement.differing[0].relation, Relation::Reversed, "they come first");
    assert!(!agreement.is_enough(0.0), "nothing makes up for a reversed one");
    let other = of(&full, &quick).questions[&Question::Wall];
    assert_eq!((other.only_quick, other.only_full, other.reversed), (0, 1, 2));
}

#[test]
fn too_few_rounds_can_tell_nothing_and_that_is_no_agreement() {
    let full = fixture::compared();
    let mut quick = full.clone();
    quick.samples.retain(|sample| sample.round < 2);
    let agreement = of(&quick, &full);
    let wall = agreement.questions[&Question::Wall];
    assert_eq!((wall.same, wall.only_full), (1, 2));
    // One of three cells is beaten, by wall and in the full one: five of six.
    assert_eq!((agreement.cells.same, agreement.cells.only_full), (5, 1));
    assert!(agreement.is_enough(0.8) && !agreement.is_enough(0.9));
}

#[test]
fn the_order_of_the_lanes_does_not_matter() {
    let quick = fixture::compared();
    let mut full = quick.clone();
    full.plan.cells.reverse();
    assert!(of(&quick, &full).is_enough(1.0));
    assert_eq!(of(&quick, &full).all.same_and_told, 2);
}

#[test]
fn in_an_open_loop_cpu_stands_in_place_of_wall() {
    let mut quick = fixture::compared();
    let cells = quick.plan.cells.iter_mut().map(|planned| &mut planned.cell);
    let taken = quick.samples.iter_mut().map(|sample| &mut sample.cell);
    cells.chain(taken).for_each(|cell| cell.point.rate = Some(100));
    let agreement = of(&quick, &quick);
    let questions: Vec<_> = agreement.questions.keys().copied().collect();
    assert_eq!(questions, [Question::CpuAtRate, Question::Rss]);
}

#[test]
fn records_without_a_common_group_agree_on_nothing() {
    let quick = fixture::compared();
    let mut full = quick.clone();
    full.plan.cells.iter_mut().for_each(|planned| planned.cell.point.documents = 7);
    let agreement = of(&quick, &full);
    assert_eq!((agreement.groups, agreement.all.agreeing()), (0, None));
    assert!(!agreement.is_enough(0.0));
}

#[test]
fn the_tables_fit_a_terminal_and_say_what_they_leave_out() {
    let full = fixture::compared();
    let mut quick = full.clone();
    slower(&mut quick, fixture::LANES[0], 0.4);
    let agreement = of(&quick, &full);
    let sheet = agreement.differing_sheet(1).unwrap();
    assert_eq!(sheet.notes, ["… and 1 more; --json has them all"]);
    let all = [sheet, agreement.sheet()].map(|sheet| sheet.terminal(Style::Plain)).concat();
    assert!(all.iter().all(|line| line.chars().count() <= WIDTH), "{all:#?}");
    let reversed = all.iter().find(|line| line.contains("reversed") && line.contains('×'));
    let expected = " blocking/sequential : stackful/hub wall less ×0.60 more ×1.50 reversed";
    let words: Vec<_> = reversed.unwrap().split_whitespace().collect();
    assert_eq!(words, expected.split_whitespace().collect::<Vec<_>>());
}
