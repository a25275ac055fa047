//! What one green thread that blocks does to the others: a strip for each.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use console::Style;
use harness::process::{THIS_IMAGE, child_of};

use super::screen::Screen;
use super::site::Site;
use super::trap::{LENGTH, On, PAUSE, Pause, SLEEPER, Stretch, Stretches, WORKERS};

/// How far away documents are here.
const DELAY: Duration = Duration::from_millis(10);

/// Columns in front of a strip, and between two of them.
const LABEL: usize = 8;
const GAP: usize = 3;

/// Runs it on the hub and on may, with either pause, and prints what came of it.
///
/// # Errors
///
/// A process fails, or nobody watches any more.
pub fn show(screen: &mut Screen<'_>, site: &Site<'_>) -> anyhow::Result<()> {
    screen.prose(&format!(
        "A green thread lets others run where it asks its runtime to wait, and only there. Six of \
         them fetch, one document after the other; task {} pauses once, for {} ms. Watch the others: \
         ━ goes on, z pauses, · stands still because of it.",
        SLEEPER + 1,
        PAUSE.as_millis(),
    ))?;
    for (on, head) in [
        (On::Hub, "the hub, one OS thread".to_owned()),
        (On::May, format!("may, {WORKERS} workers")),
    ] {
        screen.blank()?;
        let blocked = run(site, on, Pause::Thread)?;
        let asked = run(site, on, Pause::Runtime)?;
        screen.line(&screen.paint(&Style::new().bold(), head))?;
        print(screen, on, [&blocked, &asked])?;
        screen.rest()?;
    }
    screen.blank()?;
    screen.prose(
        "On the hub nobody runs meanwhile. On may the other worker goes on, and with whatever is ready \
         to run, but not with the sockets that the sleeping one watches: about half. The compiler \
         says nothing, and async code has the same trap.",
    )?;
    screen.rest()
}

fn run(site: &Site<'_>, on: On, pause: Pause) -> anyhow::Result<Stretches> {
    let mut command = child_of(Path::new(THIS_IMAGE));
    command.args(["trap", on.names().0, pause.name()]);
    // Each task fetches on a connection that it keeps.
    let job = site.job_of(2, 1, DELAY);
    let trapped = || format!("the trap on {}", on.names().0);
    let text = site.output_of(&mut command, &job).with_context(trapped)?;
    serde_json::from_str(&text).with_context(trapped)
}

/// Both beside each other; where there is no room, one above the other.
fn print(screen: &mut Screen<'_>, on: On, both: [&Stretches; 2]) -> anyhow::Result<()> {
    let heads = ["std::thread::sleep", on.names().1];
    if screen.is_narrow() {
        for (head, stretches) in heads.into_iter().zip(both) {
            let lines = column(screen, head, stretches, screen.width() - LABEL);
            screen.roll(&labelled(lines))?;
        }
        return Ok(());
    }
    let room = (screen.width() - LABEL - GAP) / 2;
    let [left, right] = [0, 1].map(|index| column(screen, heads[index], both[index], room));
    let beside =
        left.into_iter().zip(right).map(|(left, right)| format!("{left}{:GAP$}{right}", ""));
    screen.roll(&labelled(beside.collect()))
}

/// A head, a strip a task, and what came of it: each line `room` wide.
fn column(screen: &Screen<'_>, head: &str, stretches: &Stretches, room: usize) -> Vec<String> {
    let (stalled, longest) = stalls(stretches);
    let others = stretches.len() - 1;
    let told = match stalled {
        0 => format!("none of the {others} others stood still"),
        _ => format!("{stalled} of {others} stood still, {} ms", longest.as_millis()),
    };
    let strips = stretches.iter().map(|task| painted(screen, &strip(task, room)));
    let bold = screen.paint(&Style::new().bold(), format!("{told:room$}"));
    [format!("{head:room$}")].into_iter().chain(strips).chain([bold]).collect()
}

fn labelled(lines: Vec<String>) -> Vec<String> {
    let last = lines.len() - 1;
    let label = |index: usize| match index {
        0 => String::new(),
        index if index == last => String::new(),
        index => format!("task {index}"),
    };
    let lines = lines.into_iter().enumerate();
    lines
        .map(|(index, line)| format!("{:LABEL$}{line}", label(index)).trim_end().to_owned())
        .collect()
}

/// How many of the others stood still, and the longest that one of them did.
fn stalls(stretches: &Stretches) -> (usize, Duration) {
    let longest = |task: &Vec<Stretch>| {
        let stalled = task.iter().filter(|stretch| is_stalled(stretch));
        stalled.map(|stretch| stretch.to - stretch.from).max()
    };
    let others = stretches.iter().enumerate().filter(|(index, _)| *index as u64 != SLEEPER);
    let stalled: Vec<_> = others.filter_map(|(_, task)| longest(task)).collect();
    (stalled.len(), stalled.into_iter().max().unwrap_or_default())
}

/// A fetch that took as long as half the pause waited for more than its document.
fn is_stalled(stretch: &Stretch) -> bool {
    !stretch.is_pause && stretch.to - stretch.from >= PAUSE / 2
}

/// What a task did, `room` columns for all of its time.
fn strip(task: &[Stretch], room: usize) -> String {
    let at = |column: usize| LENGTH.mul_f64((column as f64 + 0.5) / room as f64);
    let symbol = |column| {
        let now = at(column);
        match task.iter().find(|stretch| (stretch.from..stretch.to).contains(&now)) {
            Some(stretch) if stretch.is_pause => 'z',
            Some(stretch) if is_stalled(stretch) => '·',
            _ => '━',
        }
    };
    (0..room).map(symbol).collect()
}

fn painted(screen: &Screen<'_>, strip: &str) -> String {
    let style_of = |symbol| match symbol {
        'z' => Style::new().yellow().bold(),
        '·' => Style::new().red().bold(),
        _ => Style::new().green(),
    };
    let mut painted = String::new();
    for run in strip.chars().collect::<Vec<_>>().chunk_by(|one, next| one == next) {
        let text: String = run.iter().collect();
        painted += &screen.paint(&style_of(run[0]), text);
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(is_pause: bool, from_ms: u64, to_ms: u64) -> Stretch {
        let (from, to) = (Duration::from_millis(from_ms), Duration::from_millis(to_ms));
        Stretch { is_pause, from, to }
    }

    fn fetches(from_ms: u64, to_ms: u64) -> impl Iterator<Item = Stretch> {
        (from_ms..to_ms).step_by(10).map(|ms| stretch(false, ms, ms + 10))
    }

    fn with(middle: Stretch) -> Vec<Stretch> {
        fetches(0, 200).chain([middle]).chain(fetches(400, 600)).collect()
    }

    #[test]
    fn a_strip_shows_who_goes_on_who_pauses_and_who_stands_still() {
        assert_eq!(strip(&fetches(0, 600).collect::<Vec<_>>(), 12), "━━━━━━━━━━━━");
        assert_eq!(strip(&with(stretch(true, 200, 400)), 12), "━━━━zzzz━━━━");
        assert_eq!(strip(&with(stretch(false, 200, 400)), 12), "━━━━····━━━━");
    }

    #[test]
    fn the_one_who_pauses_is_not_counted() {
        let goes_on: Vec<_> = fetches(0, 600).collect();
        let (stalled, pauses) = (with(stretch(false, 195, 400)), with(stretch(true, 200, 400)));
        let stretches = vec![stalled, goes_on.clone(), pauses.clone(), goes_on.clone()];
        assert_eq!(stalls(&stretches), (1, Duration::from_millis(205)));
        let stretches = vec![goes_on.clone(), goes_on, pauses];
        assert_eq!(stalls(&stretches), (0, Duration::ZERO));
    }

    #[test]
    fn tasks_are_numbered_and_the_lines_around_them_are_not() {
        let lines = ["head", "one", "two", "end"].map(str::to_owned).to_vec();
        let expected = ["        head", "task 1  one", "task 2  two", "        end"];
        assert_eq!(labelled(lines), expected);
    }
}
