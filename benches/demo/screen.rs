//! Where the demonstration is printed: a terminal that somebody watches, or a file that is read
//! later.
//!
//! A terminal gets colours, a line that changes, and time to read. A file, a pipe or a terminal that
//! can do nothing gets the same lines as plain text, at once. The cursor is never hidden and never
//! moved above its line, so that there is nothing to put right, however the program ends.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use console::{Style, Term};
use harness::Interrupt;
use harness::origin_process::OriginError;
use report::table::{self, wrapped_at};

use crate::print;

/// How long a line takes to come, so that a reader sees what is new; and how long many lines may
/// take together.
const LINE: Duration = Duration::from_millis(30);
const LINES: Duration = Duration::from_millis(1_200);

/// How long there is to look at what is there.
const LOOK: Duration = Duration::from_millis(1_000);

/// Narrower than that nothing would be left of a line of code.
const WIDTH_LEAST: usize = 24;

/// Up to here, lanes have two short lines and not a long one.
const NARROW: usize = 75;

/// Standard output.
pub struct Screen<'a> {
    term: Term,
    interrupt: &'a Interrupt,
    is_watched: bool,
    has_colours: bool,
    is_live: bool,
}

impl<'a> Screen<'a> {
    /// Looks at what standard output is.
    pub fn new(interrupt: &'a Interrupt) -> Self {
        // Buffered: a line that is replaced must not be seen empty in between.
        let term = Term::buffered_stdout();
        let is_watched = term.is_term() && !console::is_dumb();
        let has_colours = is_watched && print::style() == table::Style::Bold;
        Screen { term, interrupt, is_watched, has_colours, is_live: false }
    }

    /// Columns of a line, looked up each time: a terminal may change meanwhile.
    pub fn width(&self) -> usize {
        if !self.is_watched {
            return table::WIDTH;
        }
        usize::from(self.term.size().1).clamp(WIDTH_LEAST, table::WIDTH)
    }

    /// Whether there is no room for columns beside each other.
    pub fn is_narrow(&self) -> bool {
        self.width() <= NARROW
    }

    /// `text` in `style`, where there are colours.
    pub fn paint(&self, style: &Style, text: impl Display) -> String {
        style.clone().force_styling(self.has_colours).apply_to(text).to_string()
    }

    /// A line of its own.
    ///
    /// # Errors
    ///
    /// Nobody reads any more, or somebody has seen enough.
    pub fn line(&mut self, text: &str) -> anyhow::Result<()> {
        self.end_live()?;
        writeln!(self.term, "{text}")?;
        self.term.flush()?;
        self.pause(Duration::ZERO)
    }

    /// An empty line.
    ///
    /// # Errors
    ///
    /// As [`line`](Screen::line).
    pub fn blank(&mut self) -> anyhow::Result<()> {
        self.line("")
    }

    /// Lines that come one after the other.
    ///
    /// # Errors
    ///
    /// As [`line`](Screen::line).
    pub fn roll(&mut self, lines: &[String]) -> anyhow::Result<()> {
        let count = u32::try_from(lines.len().max(1)).unwrap_or(u32::MAX);
        let pace = LINE.min(LINES / count);
        for line in lines {
            self.line(line)?;
            self.pause(pace)?;
        }
        Ok(())
    }

    /// What is to be remembered.
    ///
    /// # Errors
    ///
    /// As [`line`](Screen::line).
    pub fn point(&mut self, text: &str) -> anyhow::Result<()> {
        for line in wrapped_at(text, self.width()) {
            self.line(&self.paint(&Style::new().bold(), line))?;
        }
        Ok(())
    }

    /// The head of a scene.
    ///
    /// # Errors
    ///
    /// As [`line`](Screen::line).
    pub fn heading(&mut self, text: &str) -> anyhow::Result<()> {
        self.blank()?;
        self.point(text)?;
        if self.has_colours {
            return Ok(());
        }
        let length = text.chars().count().min(self.width());
        self.line(&"=".repeat(length))
    }

    /// A paragraph.
    ///
    /// # Errors
    ///
    /// As [`line`](Screen::line).
    pub fn prose(&mut self, text: &str) -> anyhow::Result<()> {
        for line in wrapped_at(text, self.width()) {
            self.line(&line)?;
        }
        Ok(())
    }

    /// The line that changes; what was in it is gone. A file has none.
    ///
    /// # Errors
    ///
    /// As [`line`](Screen::line).
    pub fn live(&mut self, text: &str) -> anyhow::Result<()> {
        if self.is_watched {
            self.term.clear_line()?;
            write!(self.term, "{text}")?;
            self.term.flush()?;
            self.is_live = true;
        }
        Ok(())
    }

    /// Time to look at what is there.
    ///
    /// # Errors
    ///
    /// Somebody has seen enough.
    pub fn rest(&mut self) -> anyhow::Result<()> {
        self.pause(LOOK)
    }

    fn pause(&self, length: Duration) -> anyhow::Result<()> {
        let length = if self.is_watched { length } else { Duration::ZERO };
        if self.interrupt.comes_within(length) {
            return Err(OriginError::Interrupted.into());
        }
        Ok(())
    }

    fn end_live(&mut self) -> anyhow::Result<()> {
        if std::mem::take(&mut self.is_live) {
            self.term.clear_line()?;
        }
        Ok(())
    }
}

impl Drop for Screen<'_> {
    /// Whatever comes next begins on a line of its own.
    fn drop(&mut self) {
        if self.is_live {
            let _ = writeln!(self.term).and_then(|()| self.term.flush());
        }
    }
}
