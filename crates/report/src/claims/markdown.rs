//! Claims for a document: the verdicts as one table, which may stand alone, then each claim.

use super::words::{self, EXPERIMENT_HEADS, HEADS};
use super::{Judged, JudgedClaim, Word};

/// The verdicts, a line a claim.
pub fn verdicts(judged: &Judged) -> String {
    let mut text = format!("| {} |\n|---:|---|---|---|\n", HEADS.join(" | "));
    for claim in &judged.claims {
        let word = claim.verdict.word;
        let verdict = match word {
            Word::Holds | Word::OnlyIf | Word::Fails => format!("**{}**", word.text()),
            Word::Open => word.text().to_owned(),
        };
        let lines = words::evidence(claim).into_iter().flat_map(|(head, lines)| {
            let lines = lines.into_iter().map(|line| format!("· {line}"));
            std::iter::once(format!("*{head}*")).chain(lines).collect::<Vec<_>>()
        });
        let evidence = lines.collect::<Vec<_>>().join("<br>");
        let cells = [&claim.says, &verdict, &evidence].map(|cell| cell_of(cell));
        text += &format!("| {} | {} |\n", claim.number, cells.join(" | "));
    }
    text + &format!("\n{}\n", words::counts(&judged.claims))
}

/// All of it.
pub fn render(judged: &Judged) -> String {
    let mut text = format!("## What the articles say\n\n{}", verdicts(judged));
    for claim in &judged.claims {
        text += &of_claim(claim);
    }
    text + &format!("\n{}\n", words::CAPTION)
}

fn of_claim(claim: &JudgedClaim) -> String {
    let JudgedClaim { number, source, says, predicts, why, verdict, .. } = claim;
    let mut text = format!("\n### {number}. {}\n\n{says} ({source})\n\n", verdict.word.text());
    text += &format!("Predicts: {predicts}\n\n");
    text += &format!("| {} |\n|---|---|---|---|\n", EXPERIMENT_HEADS.join(" | "));
    for finding in &claim.findings {
        let cells = words::experiment(finding).map(|cell| cell_of(&cell));
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text += &format!("\nWhy: {why}\n");
    if let Some(growth) = &claim.growth {
        let sheet = growth.sheet();
        text += &format!("\n| {} |\n|---|---:|---:|---:|\n", sheet.heads.join(" | "));
        for line in &sheet.lines {
            if let crate::sheet::Line::Cells(cells) = line {
                text += &format!("| {} |\n", cells.join(" | "));
            }
        }
        text += &format!("\n{}\n", sheet.notes.join(" "));
    }
    text
}

/// A bar would end the cell.
fn cell_of(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::fixture::{LEDGER, compared};
    use crate::claims::{Evidence, Ledger, judge};
    use crate::summarise;

    #[test]
    fn rows_have_as_many_columns_as_their_head() {
        let ledger = Ledger::read("c.toml", &LEDGER.replace("are faster", "are | faster")).unwrap();
        let recorded = compared();
        let text = render(&judge(&ledger, &Evidence::of(&recorded, &summarise(&recorded))));
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert!(rows.iter().all(|row| bars(row) == 5), "{text}");
        assert!(
            text.contains("| 1 | Green threads are \\| faster. | **ONLY IF** | *as written: HOLDS*<br>· it suspends: ")
        );
        assert!(text.contains("### 2. HOLDS\n"), "{text}");
    }
}
