//! What differs between the blocking functions and their async twins, and how many lines that is.

use console::Style;
use similar::{ChangeTag, TextDiff};

use super::code;
use super::screen::Screen;

/// How many lines differ, counting code alone: empty lines, comments and imports are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Lines of the blocking functions.
    pub blocking: usize,
    /// Of these, lines that are not in the twins.
    pub changed: usize,
    /// Lines of the twins that are not in the blocking functions.
    pub instead: usize,
    /// Of these, lines that say `async` or `.await`.
    pub coloured: usize,
}

/// Counts the lines that differ.
pub fn count(blocking: &str, twins: &str) -> Count {
    let mut count = Count::default();
    for change in TextDiff::from_lines(blocking, twins).iter_all_changes() {
        let line = change.value().trim();
        if line.is_empty() || line.starts_with("//") || line.starts_with("use ") {
            continue;
        }
        let (is_blocking, is_new) =
            (change.tag() != ChangeTag::Insert, change.tag() == ChangeTag::Insert);
        count.blocking += usize::from(is_blocking);
        count.changed += usize::from(change.tag() == ChangeTag::Delete);
        count.instead += usize::from(is_new);
        count.coloured += usize::from(is_new && is_coloured(line));
    }
    count
}

/// Whether `async` or `await` is one of its words.
fn is_coloured(line: &str) -> bool {
    let mut words = line.split(|character: char| !character.is_alphanumeric() && character != '_');
    words.any(|word| word == "async" || word == "await")
}

impl Count {
    /// What was counted, in words.
    fn told(self) -> String {
        let Count { blocking, changed, instead, coloured } = self;
        format!(
            "{changed} of {blocking} lines had to change, into {instead}, of which {coloured} say \
             async or .await. For threads, may and the hub: 0 of {blocking}."
        )
    }
}

/// Prints the difference line by line, and its count.
///
/// # Errors
///
/// As [`Screen::line`].
pub fn show(screen: &mut Screen<'_>, blocking: &str, twins: &str) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for change in TextDiff::from_lines(blocking, twins).iter_all_changes() {
        let line = change.value().trim_end();
        for piece in code::wrapped(line, screen.width() - 2) {
            lines.push(painted(screen, change.tag(), &piece));
        }
    }
    screen.roll(&lines)?;
    screen.blank()?;
    screen.point(&count(blocking, twins).told())?;
    screen.prose(
        "Counted are the lines of the two functions, without imports, comments and empty lines. What \
         says neither word asks another HTTP library, or another set of tasks. Not counted is who \
         calls them, and must be async as well, up to block_on.",
    )?;
    screen.rest()
}

/// A line behind its sign, with what colours a function set off.
fn painted(screen: &Screen<'_>, tag: ChangeTag, line: &str) -> String {
    let style = match tag {
        ChangeTag::Delete => Style::new().red(),
        ChangeTag::Insert => Style::new().green(),
        ChangeTag::Equal => Style::new().dim(),
    };
    let line = format!("{tag} {line}");
    let pieces = code::pieces(line.trim_end()).into_iter().map(|piece| {
        let is_set_off = tag == ChangeTag::Insert && is_coloured(piece);
        screen
            .paint(&if is_set_off { style.clone().bold().reverse() } else { style.clone() }, piece)
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{ASYNC, BLOCKING, FUNCTIONS};

    #[test]
    fn lines_of_code_are_counted_and_nothing_else() {
        let blocking = "use a;\n// why\nfn f() {\n    let a = g();\n\n    h(a)\n}\n";
        let twin = "use b;\nasync fn f() {\n    let b = 1;\n    let a = g().await;\n    h(a)\n}\n";
        let expected = Count { blocking: 4, changed: 2, instead: 3, coloured: 2 };
        assert_eq!(count(blocking, twin), expected);
        let same = Count { blocking: 4, ..Count::default() };
        assert_eq!(count(blocking, blocking), same);
    }

    #[test]
    fn colour_is_a_word_of_its_own() {
        assert!(is_coloured("pub async fn f() {") && is_coloured("spawn(async move { 1 });"));
        assert!(is_coloured("let a = f().await?;"));
        assert!(!is_coloured("let asynchronous = awaited;"));
    }

    #[test]
    fn the_twins_are_coloured_and_not_all_of_a_difference() {
        let [blocking, twins] = [BLOCKING, ASYNC].map(|text| code::functions(text, &FUNCTIONS));
        let count = count(&blocking, &twins);
        let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(count.blocking, lines(&blocking), "there are no comments in them");
        assert_eq!(lines(&twins), count.blocking - count.changed + count.instead);
        assert_eq!(count.coloured, twins.lines().filter(|line| is_coloured(line)).count());
        assert!(count.coloured > 2 && count.changed < count.blocking, "{count:?}");
        assert!(count.told().contains(&format!("{} of {}", count.changed, count.blocking)));
    }
}
