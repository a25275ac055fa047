//! A scene's rows as tables: servers below one another, by their model, and points beside one another.

mod asking;
mod at_once;
mod held;
mod overview;
mod rising;

use crate::cells::{NOTHING, three_digits};
use crate::sheet::{Line, Sheet};
use crate::stats::Interval;
use crate::table::{Style, heading, wrapped};

use super::figures::Middle;
use super::notes::Notes;
use super::summary::{Asked, REFERENCE, Row, SceneSummary, Summary};
use serving::Point;
use serving::scene::Kind;

/// What the first part of a server's id says of how it waits, in the order of the tables.
const MODELS: [&str; 4] = ["blocking", "stackful", "stackless", "other"];

/// All tables as lines for a terminal, each scene with its paragraph above.
pub fn terminal(summary: &Summary, style: Style) -> String {
    let mut lines: Vec<_> = preamble(summary).iter().flat_map(|line| wrapped(line)).collect();
    lines.extend(overview(summary).iter().flat_map(|sheet| sheet.terminal(style)));
    for scene in &summary.scenes {
        lines.push(String::new());
        lines.push(heading(&scene.name, style));
        lines.extend(wrapped(&scene.shows));
        lines.extend(sheets(scene).iter().flat_map(|sheet| sheet.terminal(style)));
    }
    lines.join("\n") + "\n"
}

/// All tables for a document, each scene with its paragraph above.
pub fn markdown(summary: &Summary) -> String {
    let mut text = String::new();
    for line in preamble(summary) {
        text += &format!("{line}\n\n");
    }
    overview(summary).iter().for_each(|sheet| text += &sheet.markdown_by("model"));
    for scene in &summary.scenes {
        text += &format!("### {}\n\n{}\n\n", scene.name, scene.shows);
        sheets(scene).iter().for_each(|sheet| text += &sheet.markdown_by("model"));
    }
    text
}

/// The machine and the warnings.
pub fn preamble(summary: &Summary) -> Vec<String> {
    let warnings = summary.warnings.iter().map(|warning| format!("Note: {warning}."));
    std::iter::once(summary.machine.clone()).chain(warnings).collect()
}

/// The tables of a scene: one for each of its handlers.
pub fn sheets(scene: &SceneSummary) -> Vec<Sheet> {
    let sheet = |handler: &Asked| {
        let of = Of { scene, handler };
        let mut sheet = match scene.load {
            Kind::AtOnce => at_once::sheet(of),
            Kind::Closed if scene.points().iter().any(|point| point.slow > 0) => asking::slow(of),
            Kind::Closed => asking::keep_alive(of),
            Kind::Open if scene.points().iter().any(|point| point.percent.is_some()) => {
                rising::sheet(of)
            }
            Kind::Open => rising::blocked(of),
            Kind::Idle | Kind::Waiting => held::sheet(of),
        };
        if let Some(caption) = sheet.notes.first_mut() {
            *caption = format!("{caption} {}.", of.samples());
        }
        sheet
    };
    scene.handlers.iter().map(sheet).collect()
}

/// One figure of each scene for each server; `None` of a single scene, which says more itself.
pub fn overview(summary: &Summary) -> Option<Sheet> {
    overview::sheet(summary)
}

/// What a table is about.
#[derive(Debug, Clone, Copy)]
struct Of<'a> {
    scene: &'a SceneSummary,
    handler: &'a Asked,
}

impl<'a> Of<'a> {
    fn row(&self, point: Point, server: &str) -> Option<&'a Row> {
        self.scene.row(&self.handler.name, point, server)
    }

    /// How many samples its figures are of.
    fn samples(&self) -> String {
        let own = self.scene.rows.iter().filter(|row| row.cell.handler == self.handler.name);
        let counts = own.filter(|row| row.figures.is_some()).map(|row| row.samples);
        match (counts.clone().min(), counts.max()) {
            (Some(1), Some(1)) => "1 sample a figure".to_owned(),
            (Some(least), Some(most)) if least == most => format!("{most} samples a figure"),
            (Some(least), Some(most)) => format!("{least} to {most} samples a figure"),
            _ => "No sample counts".to_owned(),
        }
    }

    /// The one point of a scene that has no more.
    fn point(&self) -> Option<Point> {
        self.scene.points().first().copied()
    }

    /// Every server's line, by model; `cells` has all columns but the first.
    fn lines(&self, mut cells: impl FnMut(&str) -> Vec<String>) -> Vec<Line> {
        let mut lines = Vec::new();
        for (model, servers) in models(&self.scene.servers()) {
            lines.push(Line::Group(model));
            for server in servers {
                let first = std::iter::once(server.to_owned());
                lines.push(Line::Cells(first.chain(cells(server)).collect()));
            }
        }
        lines
    }

    /// A table with one row of figures a server: `columns` makes texts of a row that has figures.
    fn simple(
        &self,
        title: String,
        heads: Vec<String>,
        columns: impl Fn(&Row, &mut Notes) -> Option<Vec<String>>,
        captions: Vec<String>,
    ) -> Sheet {
        let mut notes = Notes::default();
        let lines = self.lines(|server| {
            let row = self.point().and_then(|point| self.row(point, server));
            let texts = row.and_then(|row| columns(row, &mut notes));
            let mark = match (&texts, row) {
                (Some(_), Some(row)) => {
                    notes.about(row);
                    String::new()
                }
                (None, Some(row)) => notes.mark(row),
                (_, None) => NOTHING.to_owned(),
            };
            texts.unwrap_or_else(|| absent(mark, heads.len() - 1))
        });
        let notes = captions.into_iter().chain(notes.sentences(self.scene)).collect();
        Sheet { title, heads, lines, notes }
    }
}

/// Servers by model, of which each is the first part of their ids, those that are known first.
pub(crate) fn models<'a>(servers: &[&'a str]) -> Vec<(String, Vec<&'a str>)> {
    let model = |server: &str| server.split('/').next().unwrap_or(server).to_owned();
    let mut models: Vec<(String, Vec<&str>)> =
        MODELS.map(|model| (model.to_owned(), Vec::new())).to_vec();
    for server in servers {
        let name = model(server);
        match models.iter_mut().find(|(other, _)| *other == name) {
            Some((_, own)) => own.push(server),
            None => models.push((name, vec![server])),
        }
    }
    models.retain(|(_, own)| !own.is_empty());
    models
}

/// A row without figures: the reason's mark, and nothing more.
fn absent(mark: String, columns: usize) -> Vec<String> {
    let mut cells = vec![NOTHING.to_owned(); columns];
    cells[0] = mark;
    cells
}

fn heads<const HEADS: usize>(heads: [&str; HEADS]) -> Vec<String> {
    heads.map(str::to_owned).to_vec()
}

/// The first that fits of a table with deviations and one without, each with what it says of that.
fn fitting(sheet: impl Fn(&str, fn(Middle) -> String) -> Sheet) -> Sheet {
    let whole = sheet("Medians over rounds ± median absolute deviation.", spread);
    if whole.fits() {
        return whole;
    }
    let brief = "Medians over rounds; how far around them is in the table for spreadsheets.";
    sheet(brief, |middle| three_digits(middle.median))
}

fn value(of: Option<Middle>) -> String {
    of.map_or(NOTHING.to_owned(), |middle| three_digits(middle.median))
}

/// The median and the median absolute deviation, with as many decimals as the median bears.
fn spread(of: Middle) -> String {
    match of.deviation {
        Some(deviation) => format!("{} ± {}", three_digits(of.median), like(of.median, deviation)),
        None => three_digits(of.median),
    }
}

/// The median and where it lies, or else how far around the values are.
fn bounded(of: Option<Middle>) -> String {
    match of {
        Some(Middle { median, interval: Some(Interval { low, high }), .. }) => {
            let (low, high) = (like(median, low), like(median, high));
            format!("{} ({low}–{high})", three_digits(median))
        }
        Some(middle) => spread(middle),
        None => NOTHING.to_owned(),
    }
}

/// Where a ratio lies, or the ratio alone where nothing bounds it.
fn ratio(of: Option<Middle>) -> String {
    match of {
        Some(Middle { interval: Some(Interval { low, high }), .. }) => {
            // From a factor of ten on, a hundredth says nothing.
            let decimals = if high < 9.995 { 2 } else { 0 };
            format!("{low:.decimals$}–{high:.decimals$}")
        }
        Some(Middle { median, .. }) => three_digits(median),
        None => NOTHING.to_owned(),
    }
}

/// Against the reference, which itself is 1.
fn against(row: &Row) -> String {
    if row.cell.server == REFERENCE { "1".to_owned() } else { ratio(row.against_reference) }
}

/// `value` with the decimals that `median` has.
fn like(median: f64, value: f64) -> String {
    match median {
        _ if median < 9.995 => format!("{value:.2}"),
        _ if median < 99.95 => format!("{value:.1}"),
        _ => harness::number::grouped(value.max(0.0).round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::fixture::{self, GO, HUB, NGINX, POOL};
    use crate::serving::summarise;
    use crate::table::WIDTH;

    fn text(recorded: &serving::Recorded) -> String {
        terminal(&summarise(recorded), Style::Plain)
    }

    /// The lines below a scene's name.
    fn of_scene<'a>(text: &'a str, scene: &str) -> Vec<&'a str> {
        let lines = text.lines().skip_while(|line| *line != scene);
        let is_next = |line: &&str| line.starts_with("servers-") && *line != scene;
        lines.take_while(|line| !is_next(line)).collect()
    }

    fn row<'a>(lines: &[&'a str], server: &str) -> Vec<&'a str> {
        let own = lines.iter().find(|line| line.split_whitespace().next() == Some(server));
        own.unwrap_or_else(|| panic!("{server} is not in {lines:#?}")).split_whitespace().collect()
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        for rounds in [1, 5, 7] {
            let mut recorded = fixture::of_rounds(rounds);
            for is_long in [false, true] {
                let text = text(&recorded);
                for line in text.lines() {
                    assert!(line.chars().count() <= WIDTH, "{line}\n{text}");
                }
                let whole = |server: &str| text.contains(&format!(" {server} "));
                assert!([POOL, HUB, GO, NGINX].iter().all(|it| whole(it)), "{is_long}: {text}");
                fixture::with_long_numbers(&mut recorded);
            }
        }
    }

    #[test]
    fn all_sheets_fit_with_names_and_numbers_as_long_as_they_get() {
        let mut recorded = fixture::of_rounds(7);
        fixture::with_long_numbers(&mut recorded);
        for handler in &mut recorded.plan.script.handlers {
            handler.says = "waits 50 ms and burns 5 ms of CPU".into();
        }
        let long = "other/gunicorn-gthread-100";
        let cells = recorded.plan.cells.iter_mut().map(|planned| &mut planned.cell);
        let samples = recorded.samples.iter_mut().map(|sample| &mut sample.cell);
        cells.chain(samples).filter(|cell| cell.server == HUB).for_each(|cell| {
            cell.server = long.into();
        });
        for scene in &summarise(&recorded).scenes {
            for sheet in sheets(scene) {
                assert!(sheet.title.chars().count() <= WIDTH, "{}", sheet.title);
                assert!(sheet.fits(), "{}", sheet.terminal(Style::Plain).join("\n"));
            }
        }
    }

    #[test]
    fn clients_at_once_are_columns() {
        let text = text(&fixture::recorded());
        let lines = of_scene(&text, "servers-at-once");
        assert_eq!(row(&lines, "server"), ["server", "1", "5", "16", "1,000"]);
        assert_eq!(row(&lines, HUB)[..4], [HUB, "102", "±", "1"]);
        let pool = row(&lines, POOL);
        assert_eq!(pool[pool.len() - 2..], ["-", "[1]"], "it would take a thousand by four");
        let models = ["blocking", "stackful", "other"];
        assert!(models.iter().all(|model| lines.contains(model)), "{text}");
    }

    #[test]
    fn each_reason_stands_once_with_whom_it_is_about() {
        let mut recorded = fixture::recorded();
        for sample in recorded.samples.iter_mut().filter(|sample| sample.cell.server == GO) {
            fixture::disturb(sample);
        }
        let text = text(&recorded);
        let lines = of_scene(&text, "servers-at-once").join(" ");
        assert_eq!(lines.matches("it serves files, and can neither wait nor burn").count(), 1);
        let told =
            "[2] too few samples count, as others used the machine meanwhile: other/go-server.";
        assert!(lines.contains(told), "{lines}");
        let pool = "[1] 250 turns of 100 ms are 25 s, and 3 s is the most: blocking/pool (1,000).";
        assert!(lines.contains(pool), "{lines}");
        let fewer =
            "Some samples do not count, as others used the machine meanwhile: stackful/hub (5).";
        assert!(lines.contains(fewer), "{lines}");
    }

    #[test]
    fn a_rising_load_has_its_knee() {
        let text = text(&fixture::recorded());
        let lines = of_scene(&text, "servers-rising-load");
        let heads = row(&lines, "server");
        assert_eq!(
            heads,
            "server max/s p50 10 % 50 % 75 % 90 % knee late".split(' ').collect::<Vec<_>>()
        );
        assert_eq!(
            row(&lines, HUB).join(" "),
            "stackful/hub 6,000 1.00 2.00 3.00 3.00 4.50 75 % 0.06"
        );
        assert!(row(&lines, GO).join(" ").ends_with("≥ 90 % 0.06"), "{text}");
    }

    #[test]
    fn slow_clients_stand_beside_none() {
        let text = text(&fixture::recorded());
        let pool = row(&of_scene(&text, "servers-slow-clients"), POOL).join(" ");
        assert_eq!(pool, "blocking/pool 6,000 600 0.10 4.00 4.00");
    }

    #[test]
    fn who_closes_each_connection_is_said_to() {
        let text = text(&fixture::recorded());
        let lines = of_scene(&text, "servers-idle");
        assert_eq!(row(&lines, HUB).join(" "), "stackful/hub 21.0 10.5 10.0 ± 0.0 0.25 3");
        assert!(row(&lines, POOL).join(" ").contains("- [1]"), "{text}");
        assert!(lines.join(" ").contains("closes each connection after its answer"), "{text}");
        let waiting = of_scene(&text, "servers-waiting").join(" ");
        assert!(waiting.contains("it serves 4 at once"), "{text}");
    }

    #[test]
    fn who_is_blocked_is_felt() {
        let text = text(&fixture::recorded());
        let hub = row(&of_scene(&text, "servers-blocked"), HUB).join(" ");
        assert_eq!(hub, "stackful/hub 1.00 900 900 10.0 % 1,000 0.06");
    }

    #[test]
    fn a_document_has_as_many_columns_as_heads() {
        let text = markdown(&summarise(&fixture::recorded()));
        for table in text.split("\n\n").filter(|part| part.starts_with('|')) {
            let bars = |line: &str| line.matches('|').count();
            let first = table.lines().next().unwrap();
            assert!(table.lines().all(|line| bars(line) == bars(first)), "{table}");
        }
        assert!(text.contains("| model | server |"), "{text}");
    }
}
