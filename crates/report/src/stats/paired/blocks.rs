//! The additive model of a randomised complete block design: lane + round + residual.

use super::hodges_lehmann;

/// Sweeps over lanes and rounds. Where nothing is missing, the second one already changes little.
const SWEEPS: usize = 8;

/// What neither lanes nor rounds explain.
#[derive(Debug)]
pub(super) enum Residuals {
    /// Of single values.
    Values(Vec<f64>),
    /// Of the ratios of the only two lanes that there are, by index.
    Ratios(Vec<f64>, [usize; 2]),
}

/// Of a table with a row of `rounds` values for each lane, with their degrees of freedom: values,
/// less lanes, less rounds, plus one.
///
/// Effects are fitted like Tukey's median polish, with the Hodges-Lehmann location in the median's
/// place: an outlier stays one large residual, and leaves little of it in its lane and its round.
pub(super) fn residuals(table: &[f64], lanes: usize, rounds: usize) -> (Residuals, usize) {
    let row = |lane: usize| -> Vec<usize> { (lane * rounds..(lane + 1) * rounds).collect() };
    let column = |round: usize| (0..lanes).map(|lane| lane * rounds + round).collect();
    let rows: Vec<_> = (0..lanes).map(row).collect();
    let columns: Vec<Vec<usize>> = (0..rounds).map(column).collect();
    let mut rest = table.to_vec();
    // A value that is alone in its lane or round fits perfectly, and would pass for no noise. What
    // is taken from rounds can leave a lane with one; the reverse leaves a residual of 0, rarely.
    let columns = with_company(&mut rest, columns);
    let rows = with_company(&mut rest, rows);
    if let [first, second] = &rows[..] {
        let mut ratios = first.iter().zip(second).map(|(a, b)| table[*a] - table[*b]).collect();
        drop_missing(&mut ratios);
        let middle = hodges_lehmann(&ratios).unwrap_or(0.0);
        ratios.iter_mut().for_each(|ratio| *ratio -= middle);
        let freedom = ratios.len().saturating_sub(1);
        return (Residuals::Ratios(ratios, [first[0] / rounds, second[0] / rounds]), freedom);
    }
    for line in (0..SWEEPS).flat_map(|_| rows.iter().chain(&columns)) {
        centre(&mut rest, line);
    }
    drop_missing(&mut rest);
    let freedom = (rest.len() + 1).saturating_sub(rows.len() + columns.len());
    (Residuals::Values(rest), freedom)
}

/// The lines with at least two values; what is in the others goes missing.
fn with_company(table: &mut [f64], mut lines: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    lines.retain(|line| {
        let enough = line.iter().filter(|cell| table[**cell].is_finite()).count() > 1;
        if !enough {
            line.iter().for_each(|cell| table[*cell] = f64::NAN);
        }
        enough
    });
    lines
}

/// Takes the location of what is in a line from it.
fn centre(table: &mut [f64], line: &[usize]) {
    let mut values = line.iter().map(|cell| table[*cell]).collect();
    drop_missing(&mut values);
    let middle = hodges_lehmann(&values).unwrap_or(0.0);
    line.iter().for_each(|cell| table[*cell] -= middle);
}

fn drop_missing(values: &mut Vec<f64>) {
    values.retain(|value| value.is_finite());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(table: &[f64], lanes: usize, rounds: usize) -> (Vec<f64>, usize) {
        match residuals(table, lanes, rounds) {
            (Residuals::Values(values), freedom) => (values, freedom),
            (ratios, _) => panic!("{ratios:?}"),
        }
    }

    #[test]
    fn what_is_additive_leaves_nothing_and_an_outlier_stays_in_one_place() {
        let mut table: Vec<_> =
            (0..40).map(|cell| f64::from(cell / 5) + 10.0 * f64::from(cell % 5)).collect();
        let (rest, freedom) = values(&table, 8, 5);
        assert!(rest.iter().all(|value| value.abs() < 1e-9), "{rest:?}");
        assert_eq!(freedom, 28);
        table[7] += 1.0;
        let (rest, _) = values(&table, 8, 5);
        assert!((rest[7] - 1.0).abs() < 0.01, "{rest:?}");
        assert_eq!(rest.iter().filter(|value| value.abs() > 0.01).count(), 1);
    }

    #[test]
    fn what_is_missing_takes_freedom() {
        let mut table: Vec<_> = (0..12).map(f64::from).collect();
        table[5] = f64::NAN;
        assert_eq!(values(&table, 3, 4).1, 5);
        // A round with one value alone tells nothing.
        table[1] = f64::NAN;
        assert_eq!(values(&table, 3, 4).1, 4);
    }

    #[test]
    fn of_two_lanes_there_are_ratios() {
        let (found, freedom) = residuals(&[1.0, 2.0, 4.0, 0.0, 0.0, f64::NAN], 2, 3);
        let Residuals::Ratios(ratios, lanes) = found else { panic!("{found:?}") };
        assert_eq!((ratios, lanes, freedom), (vec![-0.5, 0.5], [0, 1], 1));
    }
}
