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
         to run, but nobody looks at the sockets that are the sleeping one's. The compiler says \
         nothing, and async code has the same trap.",
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
    let strips = stretches.iter().map(|task| painted(screen, &strip(task, stretches, room)));
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
        let stalled = task.iter().filter(|stretch| stands_still(stretch, stretches));
        stalled.map(|stretch| stretch.to - stretch.from).max()
    };
    let stalled: Vec<_> = stretches.iter().filter_map(longest).collect();
    (stalled.len(), stalled.into_iter().max().unwrap_or_default())
}

/// Whether a fetch lasted for three quarters of the pause or more. Documents are so near that it did
/// because of the pause; whatever else keeps a machine busy does not end when a pause does.
fn stands_still(stretch: &Stretch, stretches: &Stretches) -> bool {
    let pause = stretches.iter().flatten().find(|stretch| stretch.is_pause);
    pause.is_some_and(|pause| {
        let both = stretch.to.min(pause.to).saturating_sub(stretch.from.max(pause.from));
        !stretch.is_pause && both >= (pause.to - pause.from).mul_f64(0.75)
    })
}

/// What a task did, `room` columns for all of its time.
fn strip(task: &[Stretch], stretches: &Stretches, room: usize) -> String {
    let at = |column: usize| LENGTH.mul_f64((column as f64 + 0.5) / room as f64);
    let symbol = |column| {
        let now = at(column);
        match task.iter().find(|stretch| (stretch.from..stretch.to).contains(&now)) {
            Some(stretch) if stretch.is_pause => 'z',
            Some(stretch) if stands_still(stretch, stretches) => '·',
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
        let goes_on = fetches(0, 600).collect();
        let lives = vec![goes_on, with(stretch(true, 200, 400)), with(stretch(false, 200, 400))];
        let strips: Vec<_> = lives.iter().map(|task| strip(task, &lives, 12)).collect();
        assert_eq!(strips, ["━━━━━━━━━━━━", "━━━━zzzz━━━━", "━━━━····━━━━"]);
    }

    #[test]
    fn who_stands_still_does_so_through_the_pause() {
        let goes_on: Vec<_> = fetches(0, 600).collect();
        let (stalled, pauses) = (with(stretch(false, 195, 400)), with(stretch(true, 200, 400)));
        // A machine that is busy elsewhere holds somebody up as well, at another time.
        let slow = with(stretch(false, 310, 600));
        let lives = vec![stalled, goes_on.clone(), pauses, slow];
        assert_eq!(stalls(&lives), (1, Duration::from_millis(205)));
        assert_eq!(stalls(&vec![goes_on.clone(), goes_on]), (0, Duration::ZERO));
    }

    #[test]
    fn tasks_are_numbered_and_the_lines_around_them_are_not() {
        let lines = ["head", "one", "two", "end"].map(str::to_owned).to_vec();
        let expected = ["        head", "task 1  one", "task 2  two", "        end"];
        assert_eq!(labelled(lines), expected);
    }
}
