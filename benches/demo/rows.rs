//! One row a lane: what is in flight while it runs, and afterwards what it took.

use std::time::Duration;

use console::Style;
use report::palette;

use super::screen::Screen;
use super::site::{Ran, Site};
use super::strip::{self, Progress};

/// Columns of a lane's id, and of the figures behind its strip.
const ID: usize = 22;
const FIGURES: usize = 35;

/// The rows of all lanes, on one scale.
pub struct Rows<'a> {
    site: &'a Site<'a>,
    floor_bytes: Option<u64>,
    /// The time of a whole strip: that of the slowest lane so far, which is the first.
    scale: Duration,
}

impl<'a> Rows<'a> {
    /// No rows yet, but their head.
    ///
    /// # Errors
    ///
    /// A process without a lane fails, or nobody reads any more.
    pub fn over(site: &'a Site<'a>, screen: &mut Screen<'_>) -> anyhow::Result<Self> {
        if !screen.is_narrow() {
            let strip = screen.width() - ID - FIGURES;
            let head = format!(
                "{:ID$}{:strip$}{:>9}{:>10}{:>8}{:>8}",
                "", "in flight over time", "time", "memory", "at once", "threads"
            );
            screen.line(&screen.paint(&Style::new().dim(), head))?;
        }
        Ok(Rows { site, floor_bytes: site.floor_bytes()?, scale: Duration::ZERO })
    }

    /// Runs these lanes, one after the other.
    ///
    /// # Errors
    ///
    /// A lane fails, or nobody watches any more.
    pub fn run_all(
        &mut self,
        screen: &mut Screen<'_>,
        lanes: &[&'static str],
    ) -> anyhow::Result<Vec<Ran>> {
        let ran = lanes.iter().map(|lane| self.run(screen, lane)).collect::<anyhow::Result<_>>()?;
        screen.blank()?;
        Ok(ran)
    }

    fn run(&mut self, screen: &mut Screen<'_>, lane: &'static str) -> anyhow::Result<Ran> {
        let documents = self.site.documents();
        screen.live(&now(screen, lane, Progress { done: 0, in_flight: 0, documents }))?;
        let ran = self.site.run(lane, &mut |progress| {
            let line = now(screen, lane, progress);
            screen.live(&line)
        })?;
        self.scale = self.scale.max(ran.wall);
        for line in self.row(screen, &ran) {
            screen.line(&line)?;
        }
        Ok(ran)
    }

    /// What a lane took, in one line; in a narrow terminal in two.
    fn row(&self, screen: &Screen<'_>, ran: &Ran) -> Vec<String> {
        let own = ran.memory_bytes.zip(self.floor_bytes);
        let memory =
            own.map_or("-".to_owned(), |(peak, floor)| mebibytes(peak.saturating_sub(floor)));
        let time = time(ran.wall);
        let colour = of_lane(ran.lane);
        let room = screen.width() - if screen.is_narrow() { 0 } else { ID + FIGURES };
        let documents = self.site.documents();
        let strip = strip::over_time(&ran.flights, ran.wall, self.scale, documents, room);
        if screen.is_narrow() {
            let head = format!("{:ID$}{time:>8}{memory:>9}", ran.lane);
            return vec![head, screen.paint(&colour, strip)];
        }
        let strip = screen.paint(&colour, format!("{strip:room$}"));
        let Ran { lane, at_once, .. } = ran;
        let threads = ran.threads.map_or("-".to_owned(), |threads| threads.to_string());
        vec![format!("{lane:ID$}{strip}{time:>9}{memory:>10}{at_once:>8}{threads:>8}")]
    }
}

/// What is in flight now.
fn now(screen: &Screen<'_>, lane: &str, progress: Progress) -> String {
    let Progress { done, in_flight, documents } = progress;
    let (label, told) = if screen.is_narrow() {
        let name = lane.split_once('/').map_or(lane, |(_, name)| name);
        (format!("{name:12}"), String::new())
    } else {
        (format!("{lane:ID$}"), format!("  {in_flight} in flight, {done} of {documents} done"))
    };
    // One column stays free: some terminals break a line as soon as it is full.
    let room = (screen.width() - 1).saturating_sub(label.chars().count() + told.chars().count());
    let [done, flying, to_come] = strip::cells(progress, room);
    let colour = of_lane(lane);
    format!(
        "{label}{}{}{}{told}",
        screen.paint(&colour, done),
        screen.paint(&colour.clone().bold(), flying),
        screen.paint(&Style::new().dim(), to_come),
    )
}

/// `108 ms`, or `3.04 s`.
pub fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.9995 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// A lane's colour, the same as everywhere.
fn of_lane(lane: &str) -> Style {
    Style::new().color256(nearest(palette::colour(lane)))
}

/// The nearest of the 216 colours that terminals have beside their own, for `#rrggbb`.
fn nearest(colour: &str) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let level = |at: usize| {
        let part = u8::from_str_radix(&colour[at..at + 2], 16).expect("two digits");
        (0..6)
            .min_by_key(|level| LEVELS[usize::from(*level)].abs_diff(part))
            .expect("there are six")
    };
    16 + 36 * level(1) + 6 * level(3) + level(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_three_digits() {
        let told = [0, 108, 999, 1_000, 3_041].map(|ms| time(Duration::from_millis(ms)));
        assert_eq!(told, ["0 ms", "108 ms", "999 ms", "1.00 s", "3.04 s"]);
        assert_eq!(time(Duration::from_micros(999_700)), "1.00 s");
    }

    #[test]
    fn colours_are_the_nearest_of_a_terminal() {
        let colours = ["#000000", "#ffffff", "#d55e00", "#3b7dd8"].map(nearest);
        assert_eq!(colours, [16, 231, 166, 68]);
    }

    #[test]
    fn the_figures_have_room() {
        assert!(ID > "stackless/tokio-local".len());
        assert_eq!(9 + 10 + 8 + 8, FIGURES);
        assert_eq!(mebibytes(1_572_864), "1.5 MiB");
    }
}
