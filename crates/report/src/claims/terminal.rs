//! Claims for a terminal of 100 columns: the verdicts as one table, then each claim with its experiments.

use super::words::{self, EXPERIMENT_HEADS, HEADS};
use super::{Judged, JudgedClaim};
use crate::sheet::{Line, Sheet};
use crate::table::{Style, WIDTH, wrapped_at};

/// All of it.
pub fn render(judged: &Judged, style: Style) -> String {
    let mut lines = verdicts(judged).table(style);
    lines.push(String::new());
    lines.extend(wrapped_at(&words::counts(&judged.claims), WIDTH));
    for claim in &judged.claims {
        lines.push(String::new());
        lines.extend(of_claim(claim, style));
    }
    lines.push(String::new());
    lines.extend(wrapped_at(words::CAPTION, WIDTH));
    lines.join("\n") + "\n"
}

/// A line a claim.
fn verdicts(judged: &Judged) -> Sheet {
    let line = |claim: &JudgedClaim| {
        let verdict = claim.verdict.word.text().to_owned();
        let lines = words::evidence(claim).into_iter().flat_map(|(head, lines)| {
            let lines = lines.into_iter().map(|line| format!("· {line}"));
            std::iter::once(head).chain(lines).collect::<Vec<_>>()
        });
        let evidence = lines.collect::<Vec<_>>().join("\n");
        Line::Cells(vec![claim.number.to_string(), claim.says.clone(), verdict, evidence])
    };
    Sheet {
        title: "Claims".to_owned(),
        heads: HEADS.map(str::to_owned).to_vec(),
        lines: judged.claims.iter().map(line).collect(),
        notes: Vec::new(),
    }
}

fn of_claim(claim: &JudgedClaim, style: Style) -> Vec<String> {
    let heading = format!("{}. {}", claim.number, claim.verdict.word.text());
    let mut lines = match style {
        Style::Bold => vec![format!("\x1b[1m{heading}\x1b[0m")],
        Style::Plain => vec![heading.clone(), "=".repeat(heading.chars().count())],
    };
    lines.extend(wrapped_at(&format!("{} ({})", claim.says, claim.source), WIDTH));
    lines.extend(wrapped_at(&format!("Predicts: {}", claim.predicts), WIDTH));
    lines.push(String::new());
    let experiments = Sheet {
        title: String::new(),
        heads: EXPERIMENT_HEADS.map(str::to_owned).to_vec(),
        lines: claim.findings.iter().map(|f| Line::Cells(words::experiment(f).to_vec())).collect(),
        notes: Vec::new(),
    };
    lines.extend(experiments.table(style));
    lines.extend(wrapped_at(&format!("Why: {}", claim.why), WIDTH));
    lines.extend(claim.growth.iter().flat_map(|growth| growth.sheet().terminal(style)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::fixture::{LEDGER, compared, growing};
    use crate::claims::{Evidence, Ledger, judge};
    use crate::summarise;

    fn rendered(recorded: &harness::Recorded, ledger: &str, style: Style) -> String {
        let ledger = Ledger::read("c.toml", ledger).unwrap();
        render(&judge(&ledger, &Evidence::of(recorded, &summarise(recorded))), style)
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let text = rendered(&compared(), LEDGER, Style::Plain);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        for part in
            ["1. ONLY IF\n", "3 claims: 1 HOLDS, 1 ONLY IF", "Predicts: The hub", "Why: It waits."]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\x1b'), "no styling without a terminal");
        assert!(rendered(&compared(), LEDGER, Style::Bold).contains("\x1b[1m1. ONLY IF\x1b[0m"));
    }

    #[test]
    fn growth_stands_below_its_claim() {
        let chart = "[claim.chart]\nworkload = \"all-at-once\"\n\
                     lines = [{ lane = \"stackful/hub\", client = \"raw\" }]\n";
        let ledger =
            LEDGER.replacen("[[claim]]\nnumber = 2", &format!("{chart}\n[[claim]]\nnumber = 2"), 1);
        let text = rendered(&growing(), &ledger, Style::Plain);
        assert!(text.contains("One more document, all-at-once"), "{text}");
    }
}
