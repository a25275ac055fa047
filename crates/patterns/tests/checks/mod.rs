//! What must be so of each scene, whatever the lane: by events and counts, never by time.

use std::sync::Arc;

use libtest_mimic::Trial;
use patterns::lanes::Lane;
use patterns::log::{Event, Log, count};
use patterns::scenes::{SCENES, as_they_arrive, blocking_work, periodic, queue, semaphore};

/// Every scene in every lane, each a test.
pub fn of_scenes(lanes: &'static [Lane]) -> Vec<Trial> {
    let pairs = SCENES.iter().flat_map(|scene| lanes.iter().map(move |lane| (scene, lane)));
    let trials = pairs.map(|(scene, lane)| {
        let name = format!("{} in {}", scene.name, lane.id);
        Trial::test(name, move || {
            let log = Arc::new(Log::new(|_| ()));
            (scene.play)(lane, &log)?;
            let events = log.events();
            check(scene.name, lane, &events).map_err(|why| format!("{why}: {events:?}").into())
        })
    });
    trials.collect()
}

fn check(name: &str, lane: &Lane, events: &[Event]) -> Result<(), String> {
    match name {
        "semaphore" => check_semaphore(events),
        "queue" => check_queue(events),
        "periodic" => check_periodic(events),
        "as_they_arrive" => check_as_they_arrive(events),
        "blocking_work" => check_blocking_work(lane, events),
        _ => Err(format!("{name} is not checked")),
    }
}

/// As many are in flight as may be, and never one more.
fn check_semaphore(events: &[Event]) -> Result<(), String> {
    expect_each_once(events, semaphore::DOCUMENTS)?;
    expect_in_flight(events, semaphore::CAP)
}

/// Whatever is produced is fetched once, and producers are held back.
fn check_queue(events: &[Event]) -> Result<(), String> {
    expect_each_once(events, queue::PRODUCERS * queue::EACH)?;
    expect_in_flight(events, queue::CONSUMERS)?;
    let ahead = |seen: &[Event]| {
        let produced = count(seen, |it| matches!(it, Event::Produced { .. }));
        produced - count(seen, |it| matches!(it, Event::Answered(_)))
    };
    let most = (0..events.len()).map(|end| ahead(&events[..=end])).max();
    expect(most == Some(queue::PRODUCED_AHEAD), || format!("{most:?} were produced ahead"))
}

/// Ticks have ascending numbers, those missed are left out, and a stop ends them there and then.
fn check_periodic(events: &[Event]) -> Result<(), String> {
    let (often, hourly) = split_at(events, periodic::HOURLY)?;
    let numbers = ticks(often);
    expect(numbers.len() >= periodic::TICKS, || "there are too few ticks".to_owned())?;
    expect(numbers.is_sorted_by(|one, next| one < next), || "a tick is repeated".to_owned())?;
    // The first takes three periods. The next was due within the first of them and comes at the end of
    // the last, unless the machine itself was late; two more were due meanwhile.
    let are_left_out = numbers[0] == 0 && numbers[2] >= numbers[1] + 3;
    expect(are_left_out, || "two ticks were not left out".to_owned())?;
    let (_, stopped) = split_at(often, Event::Stopped)?;
    expect(ticks(stopped).is_empty(), || "it went on after the stop".to_owned())?;
    // That the second part has ended is what is to be seen of it.
    expect(ticks(hourly) == [0], || "there is one tick an hour, at its start".to_owned())
}

/// The order is that of answers.
fn check_as_they_arrive(events: &[Event]) -> Result<(), String> {
    expect_each_once(events, as_they_arrive::ORDER.len())?;
    let taken = taken(events);
    expect(taken == as_they_arrive::ORDER, || format!("they were taken as {taken:?}"))
}

/// While something is computed in place, nothing else happens on the one thread that there is. What
/// is handed over has its ticks, or it would not have ended.
fn check_blocking_work(lane: &Lane, events: &[Event]) -> Result<(), String> {
    let (in_place, handed_over) = split_at(events, blocking_work::HANDED_OVER)?;
    for id in 1..=blocking_work::DOCUMENTS as u32 {
        let meanwhile = ticks(computing(in_place, id)?).len();
        let is_right = !lane.is_one_thread || meanwhile == 0;
        expect(is_right, || format!("{meanwhile} ticks while {id} was computed in place"))?;
        let meanwhile = ticks(computing(handed_over, id)?).len();
        let is_right = meanwhile >= blocking_work::TICKS;
        expect(is_right, || format!("{meanwhile} ticks while {id} was computed elsewhere"))?;
    }
    Ok(())
}

fn split_at(events: &[Event], event: Event) -> Result<(&[Event], &[Event]), String> {
    let place = events.iter().position(|other| *other == event);
    Ok(events.split_at(place.ok_or_else(|| format!("{event:?} has not happened"))?))
}

/// From the first event about what is computed from a document to the last.
fn computing(events: &[Event], id: u32) -> Result<&[Event], String> {
    let place = |event| events.iter().position(|other| *other == event);
    match (place(Event::Computes(id)), place(Event::Computed(id))) {
        (Some(begins), Some(ends)) if begins < ends => Ok(&events[begins..ends]),
        _ => Err(format!("nothing is computed from {id}")),
    }
}

/// As many are asked for and not yet answered as may be at some moment, and more at none.
fn expect_in_flight(events: &[Event], cap: usize) -> Result<(), String> {
    let in_flight = |end| patterns::log::unanswered(&events[..=end]).len();
    let most = (0..events.len()).map(in_flight).max();
    expect(most == Some(cap), || format!("{most:?} were in flight, not {cap}"))
}

/// Every document is asked for once, and taken once.
fn expect_each_once(events: &[Event], documents: usize) -> Result<(), String> {
    let all: Vec<_> = (1..=documents as u32).collect();
    let (mut asked, mut taken) = (asked(events), taken(events));
    asked.sort_unstable();
    taken.sort_unstable();
    expect(asked == all, || format!("asked for were {asked:?}"))?;
    expect(taken == all, || format!("taken were {taken:?}"))
}

fn ticks(events: &[Event]) -> Vec<u64> {
    let number = |event: &Event| if let Event::Tick(number) = event { Some(*number) } else { None };
    events.iter().filter_map(number).collect()
}

fn asked(events: &[Event]) -> Vec<u32> {
    let id = |event: &Event| if let Event::Asked(id) = event { Some(*id) } else { None };
    events.iter().filter_map(id).collect()
}

fn taken(events: &[Event]) -> Vec<u32> {
    let id = |event: &Event| if let Event::Taken(id) = event { Some(*id) } else { None };
    events.iter().filter_map(id).collect()
}

fn expect(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise()) }
}
