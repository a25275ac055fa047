//! A linear scale from 0: equal distances are equal differences, and what grows evenly is a line.

/// From values to places on a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    high: f64,
    from: f64,
    to: f64,
}

/// No more ticks than that: each has a line across the page.
const TICKS_MOST: f64 = 7.0;

impl Linear {
    /// 0 is at `from`, `high` at `to`.
    ///
    /// # Panics
    ///
    /// If `high` is not above 0.
    pub fn new(high: f64, from: f64, to: f64) -> Self {
        assert!(high > 0.0, "0 to {high} is no range");
        Linear { high, from, to }
    }

    /// Where `value` is.
    pub fn place(&self, value: f64) -> f64 {
        self.from + value / self.high * (self.to - self.from)
    }

    /// Round values within the range, equally far apart.
    pub fn ticks(&self) -> Vec<f64> {
        let decade = 10f64.powi((self.high / TICKS_MOST).log10().floor() as i32);
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
        let fits = |step: &&f64| self.high / **step <= TICKS_MOST;
        let step = *steps.iter().find(fits).unwrap_or(&self.high);
        (0..=(self.high / step) as u64).map(|tick| tick as f64 * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_differences_are_equal_distances() {
        let scale = Linear::new(1_600.0, 100.0, 500.0);
        assert_eq!([0.0, 400.0, 1_600.0].map(|value| scale.place(value)), [100.0, 200.0, 500.0]);
    }

    #[test]
    fn ticks_are_round_and_few() {
        let ticks = |high| Linear::new(high, 0.0, 1.0).ticks();
        assert_eq!(ticks(560.0), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!(ticks(35.0), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0]);
        assert_eq!(ticks(1.5), [0.0, 0.5, 1.0, 1.5]);
    }
}
