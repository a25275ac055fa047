//! A logarithmic scale: equal distances are equal ratios.

/// From values to places on a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

/// Marks of a decade, from few to many.
const MARKS: [&[f64]; 6] = [
    &[1.0],
    &[1.0, 3.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    &[1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
    &[1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
];

/// With fewer ticks nobody can read a value between them.
const TICKS_LEAST: usize = 4;

impl Scale {
    /// `low` is at `from`, `high` at `to`.
    ///
    /// # Panics
    ///
    /// If not 0 < `low` < `high`.
    pub fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        assert!(0.0 < low && low < high, "{low} to {high} is no range of a logarithmic scale");
        Scale { low, high, from, to }
    }

    /// Where `value` is.
    pub fn place(&self, value: f64) -> f64 {
        let part = (value / self.low).ln() / (self.high / self.low).ln();
        self.from + part * (self.to - self.from)
    }

    /// Round values within the range: as few of a decade as will do.
    pub fn ticks(&self) -> Vec<f64> {
        let within = |marks: &&[f64]| self.within(marks);
        let all: Vec<_> = MARKS.iter().map(within).collect();
        let enough = all.iter().find(|ticks| ticks.len() >= TICKS_LEAST);
        enough.or(all.last()).cloned().unwrap_or_default()
    }

    fn within(&self, marks: &[f64]) -> Vec<f64> {
        let decade = |value: f64| value.log10().floor() as i32;
        let decades = decade(self.low)..=decade(self.high);
        // Above 1 a product, below a quotient: both are the nearest number to what is meant.
        let power = |mark: f64, exponent: i32| match exponent {
            0.. => mark * 10f64.powi(exponent),
            _ => mark / 10f64.powi(-exponent),
        };
        let all = decades.flat_map(|exponent| marks.iter().map(move |mark| power(*mark, exponent)));
        all.filter(|tick| (self.low..=self.high).contains(tick)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ratios_are_equal_distances() {
        let scale = Scale::new(100.0, 1_600.0, 0.0, 400.0);
        let places = [100.0, 200.0, 400.0, 800.0, 1_600.0].map(|value| scale.place(value).round());
        assert_eq!(places, [0.0, 100.0, 200.0, 300.0, 400.0]);
    }

    #[test]
    fn ticks_are_round_and_few() {
        let ticks = |low, high| Scale::new(low, high, 0.0, 1.0).ticks();
        assert_eq!(ticks(0.9, 1_100.0), [1.0, 10.0, 100.0, 1_000.0]);
        assert_eq!(ticks(15.0, 600.0), [20.0, 50.0, 100.0, 200.0, 500.0]);
        assert_eq!(ticks(90.0, 250.0), [100.0, 150.0, 200.0, 250.0]);
        assert_eq!(ticks(0.03, 0.4), [0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3]);
    }
}
