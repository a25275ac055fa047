//! Functions of a source file, as they are printed.

use console::Style;

use super::screen::Screen;

/// Each of these functions, from `pub` to its last brace, with an empty line between two.
///
/// # Panics
///
/// The file has none of this name.
pub fn functions(source: &str, names: &[&str]) -> String {
    let found: Vec<_> = names.iter().map(|name| function(source, name)).collect();
    found.join("\n")
}

fn function<'a>(source: &'a str, name: &str) -> &'a str {
    let heads = [format!("\npub fn {name}("), format!("\npub async fn {name}(")];
    let start = heads.iter().find_map(|head| source.find(head)).expect("the file has the function");
    let rest = &source[start + 1..];
    // rustfmt puts no other brace into the first column.
    let end = rest.find("\n}\n").expect("a function has an end");
    &rest[..end + "\n}\n".len()]
}

/// Prints them line by line, coloured a little.
///
/// # Errors
///
/// As [`Screen::line`].
pub fn show(screen: &mut Screen<'_>, code: &str) -> anyhow::Result<()> {
    let wrapped = code.lines().flat_map(|line| wrapped(line, screen.width()));
    let lines: Vec<_> = wrapped.map(|line| highlighted(screen, &line)).collect();
    screen.roll(&lines)?;
    screen.rest()
}

/// A line of code in lines of at most `width` characters: what does not fit is indented further.
pub fn wrapped(line: &str, width: usize) -> Vec<String> {
    let indent = line.chars().take_while(|character| *character == ' ').count();
    let deeper = " ".repeat((indent + 4).min(width / 2));
    let mut lines = Vec::new();
    let mut rest: Vec<char> = line.chars().collect();
    while rest.len() > width {
        let from = rest.iter().take_while(|character| **character == ' ').count();
        // Between words, unless that is so early that there is a better place: before a method or
        // behind what opens a call. A word that is wider than all is cut.
        let places = || (from + 1..=width).rev();
        let early = from + (width - from.min(width)) / 3;
        let cut = places()
            .find(|at| rest[*at] == ' ' && *at > early)
            .or_else(|| places().find(|at| rest[*at] == '.' || rest[*at - 1] == '('))
            .unwrap_or(width);
        lines.push(rest[..cut].iter().collect::<String>());
        let left: String = rest[cut..].iter().collect();
        rest = format!("{deeper}{}", left.trim_start()).chars().collect();
    }
    lines.push(rest.into_iter().collect());
    lines
}

const KEYWORDS: &[&str] = &[
    "async", "await", "dyn", "else", "fn", "for", "if", "in", "let", "match", "move", "mut", "pub",
    "return", "while",
];

/// Keywords, texts and comments in colours of their own; whatever is in two lines is plain.
pub fn highlighted(screen: &Screen<'_>, line: &str) -> String {
    let pieces = pieces(line).into_iter();
    let painted = pieces.map(|piece| match style_of(piece) {
        Some(style) => screen.paint(&style, piece),
        None => piece.to_owned(),
    });
    painted.collect()
}

fn style_of(piece: &str) -> Option<Style> {
    match piece {
        _ if piece.starts_with("//") => Some(Style::new().dim()),
        _ if piece.starts_with('"') => Some(Style::new().green()),
        _ if KEYWORDS.contains(&piece) => Some(Style::new().magenta()),
        _ => None,
    }
}

/// Words, texts, comments, and what is between them.
pub fn pieces(line: &str) -> Vec<&str> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.len(),
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            _ if is_word(first) => rest.find(|other| !is_word(other)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{ASYNC, BLOCKING, FUNCTIONS};

    #[test]
    fn the_functions_are_whole_and_nothing_else() {
        let blocking = functions(BLOCKING, &FUNCTIONS);
        assert!(blocking.starts_with("pub fn fetch(agent: &Agent, url: &str)"), "{blocking}");
        assert!(blocking.contains("}\n\npub fn fetch_and_aggregate(\n"), "{blocking}");
        assert!(blocking.ends_with("    Ok(tally)\n}\n"), "{blocking}");
        let twins = functions(ASYNC, &FUNCTIONS);
        assert!(twins.starts_with("pub async fn fetch("), "{twins}");
        for code in [blocking, twins] {
            assert!(!code.contains("///") && !code.contains("use "), "{code}");
            assert_eq!(code.matches('{').count(), code.matches('}').count());
        }
    }

    #[test]
    fn lines_are_broken_between_words_and_lose_nothing() {
        let line = "    let body = body.map_err(|error| FetchError::new(url, error))?;";
        let lines = wrapped(line, 40);
        assert_eq!(
            lines,
            ["    let body = body.map_err(|error|", "        FetchError::new(url, error))?;"]
        );
        assert_eq!(
            wrapped("        agent.get(uri).collect().await.map_err(|e| f(e))?;", 40),
            ["        agent.get(uri).collect().await", "            .map_err(|e| f(e))?;"]
        );
        assert_eq!(wrapped(line, 100), [line]);
        assert_eq!(wrapped("", 40), [""]);
    }

    #[test]
    fn a_word_wider_than_the_terminal_is_cut() {
        let line = format!("  {}", "x".repeat(50));
        let lines = wrapped(&line, 24);
        assert!(lines.iter().all(|line| line.chars().count() <= 24), "{lines:?}");
        assert_eq!(lines.concat().matches('x').count(), 50);
    }

    #[test]
    fn pieces_are_the_line_again() {
        let line = r#"let a = b.expect("a task"); // why"#;
        let pieces = pieces(line);
        assert_eq!(pieces.concat(), line);
        assert!(pieces.contains(&"\"a task\"") && pieces.contains(&"// why"), "{pieces:?}");
        assert!(pieces.contains(&"let") && pieces.contains(&"expect"), "{pieces:?}");
    }
}
