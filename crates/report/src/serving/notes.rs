//! Why there are no figures, or fewer than there might be: each reason once, with whom it is about.

use harness::number::grouped;
use serving::Point;

use super::summary::{Lack, Row, SceneSummary};
use crate::cells::NOTHING;

/// What all cells without figures share that others were busy beside: each has its own percentages.
const BUSY: &str = "others used the machine meanwhile";

/// Percentiles are of answers, so they leave this out.
const UNANSWERED: &str = "some requests had no answer at all, and are in no percentile";

/// The reasons of one sheet: first those that cells refer to, numbered as they come.
#[derive(Debug, Default)]
pub struct Notes {
    reasons: Vec<Reason>,
}

#[derive(Debug)]
struct Reason {
    why: Told,
    /// Whether cells refer to it, by its number.
    is_marked: bool,
    about: Vec<(String, Point)>,
}

impl Notes {
    /// Notes why `row` has no figures, and gives what stands in place of one.
    pub fn mark(&mut self, row: &Row) -> String {
        self.mark_for(row.lack.as_ref().map_or("nothing is known".to_owned(), told), row)
    }

    /// Notes why `row` lacks a figure, and gives what stands in its place.
    pub fn mark_for(&mut self, why: String, row: &Row) -> String {
        let index = self.add(why, row);
        self.reasons[index].is_marked = true;
        let before = self.reasons[..index].iter().filter(|reason| reason.is_marked);
        format!("{NOTHING} [{}]", before.count() + 1)
    }

    /// Notes what a reader should know of a row that has figures.
    pub fn about(&mut self, row: &Row) {
        if let Some(lack) = &row.lack {
            let why = match lack {
                Lack { is_disturbed: true, .. } => format!("some samples do not count, as {BUSY}"),
                Lack { why, .. } => why.clone(),
            };
            self.add(why, row);
        }
        if row.figures.as_ref().is_some_and(|figures| figures.unanswered_part() > 0.0) {
            self.add(UNANSWERED.to_owned(), row);
        }
    }

    /// Each reason as a sentence, with its servers, and with their points where it is not about all of
    /// them.
    pub fn sentences(&self, scene: &SceneSummary) -> Vec<String> {
        let (marked, others): (Vec<_>, Vec<_>) =
            self.reasons.iter().partition(|reason| reason.is_marked);
        let marked = (1..).zip(marked);
        let marked = marked.map(|(number, it)| format!("[{number}] {}", it.sentence(scene)));
        marked.chain(others.iter().map(|it| capitalised(&it.sentence(scene)))).collect()
    }

    fn add(&mut self, why: String, row: &Row) -> usize {
        let about = (row.cell.server.clone(), row.cell.point);
        let why = Told::of(&why);
        match self.reasons.iter().position(|reason| reason.why.is_like(&why)) {
            Some(index) => {
                self.reasons[index].why.widen(&why);
                self.reasons[index].about.push(about);
                index
            }
            None => {
                self.reasons.push(Reason { why, is_marked: false, about: vec![about] });
                self.reasons.len() - 1
            }
        }
    }
}

impl Reason {
    fn sentence(&self, scene: &SceneSummary) -> String {
        let about: Vec<_> =
            scene.servers().into_iter().filter_map(|server| self.of(scene, server)).collect();
        format!("{}: {}.", self.why.text(), about.join(", "))
    }

    /// The server, if this is about it.
    fn of(&self, scene: &SceneSummary, server: &str) -> Option<String> {
        let own = self.about.iter().filter(|(other, _)| other == server);
        let mut own: Vec<_> = own.map(|(_, point)| *point).collect();
        own.sort_unstable();
        own.dedup();
        let all = scene.points();
        match own.len() {
            0 => None,
            several if several == all.len() => Some(server.to_owned()),
            _ => {
                let points: Vec<_> = own.iter().map(|point| name(*point, &all)).collect();
                Some(format!("{server} ({})", points.join(", ")))
            }
        }
    }
}

/// A reason as its words and numbers: those that differ in their numbers alone are one.
#[derive(Debug, Clone, PartialEq)]
struct Told(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Words(String),
    /// As it stands there first, and from the least to the most.
    Number(String, u64, u64),
}

impl Told {
    fn of(why: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = why;
        while !rest.is_empty() {
            let end = match number(rest) {
                0 => rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len()),
                end => end,
            };
            let (piece, after) = rest.split_at(end);
            pieces.push(match piece.replace(',', "").parse() {
                Ok(number) => Piece::Number(piece.to_owned(), number, number),
                Err(_) => Piece::Words(piece.to_owned()),
            });
            rest = after;
        }
        Told(pieces)
    }

    /// Whether the words are the same.
    fn is_like(&self, other: &Told) -> bool {
        let same = |(one, other): (&Piece, &Piece)| match (one, other) {
            (Piece::Words(one), Piece::Words(other)) => one == other,
            (Piece::Number(..), Piece::Number(..)) => true,
            _ => false,
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }

    /// Takes the numbers of another in that is like it.
    fn widen(&mut self, other: &Told) {
        for pair in self.0.iter_mut().zip(&other.0) {
            if let (Piece::Number(_, least, most), Piece::Number(_, low, high)) = pair {
                (*least, *most) = ((*least).min(*low), (*most).max(*high));
            }
        }
    }

    fn text(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Number(text, least, most) if least == most => text.clone(),
            Piece::Number(_, least, most) => format!("{} to {}", grouped(*least), grouped(*most)),
        };
        self.0.iter().map(piece).collect()
    }
}

/// How long the number is that `text` begins with: digits, and commas after which three more come.
fn number(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(text);
    while end > 0 && text[end..].starts_with(',') && digits(&text[end + 1..]) == 3 {
        end += 4;
    }
    end
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// As a reader tells it from the others of its scene.
fn name(point: Point, all: &[Point]) -> String {
    match point {
        Point { percent: Some(100), .. } => "ceiling".to_owned(),
        Point { percent: Some(percent), .. } => format!("{percent} %"),
        Point { slow: 1.., .. } => format!("with {} slow", grouped(point.slow)),
        _ if all.iter().any(|other| other.slow > 0) => "without slow".to_owned(),
        _ => grouped(point.clients),
    }
}

fn told(lack: &Lack) -> String {
    match lack.is_disturbed {
        true => format!("too few samples count, as {BUSY}"),
        false => lack.why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_numbers_are_one() {
        let mut told = Told::of("67 of 1000 requests had no answer 10 s later");
        let other = Told::of("600 of 1000 requests had no answer 10 s later");
        assert!(told.is_like(&other) && !told.is_like(&Told::of("67 of 1000 requests failed")));
        told.widen(&other);
        assert_eq!(told.text(), "67 to 600 of 1000 requests had no answer 10 s later");
        assert_eq!(Told::of("").text(), "");
    }

    #[test]
    fn a_number_may_have_commas_and_no_more() {
        let mut told = Told::of("500 × 10 ms, 3 s is the most");
        told.widen(&Told::of("1,000 × 10 ms, 3 s is the most"));
        assert_eq!(told.text(), "500 to 1,000 × 10 ms, 3 s is the most");
        assert_eq!(
            [number("1,000 × 10"), number("5, 100"), number("1,00"), number("x")],
            [5, 1, 1, 0]
        );
        let endless = "99999999999999999999999 and 1";
        assert_eq!(Told::of(endless).text(), endless);
    }
}
