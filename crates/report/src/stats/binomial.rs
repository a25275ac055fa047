//! How often an error may happen that was seen this often.

use statrs::distribution::{Beta, ContinuousCDF};

/// The greatest rate that `events` of `trials` still allow, with `confidence` (0.95, say): the
/// one-sided bound of Clopper and Pearson (1934).
///
/// It is exact: whatever the true rate, the bound falls below it in at most 1 - `confidence` of
/// all such experiments. "3 of 200 were called different" so reads "at most 3.8 % are, with 95 %
/// confidence". Trials that depend on one another, such as pairs that share a lane, are worth
/// fewer than their number. Of no trials at all, the bound is 1.
///
/// # Panics
///
/// If there are more events than trials, or `confidence` is not between 0 and 1.
pub fn upper_bound(events: u64, trials: u64, confidence: f64) -> f64 {
    assert!(events <= trials, "{events} of {trials} is not a part");
    assert!(confidence > 0.0 && confidence < 1.0, "{confidence} is not between 0 and 1");
    if events == trials {
        return 1.0;
    }
    Beta::new(events as f64 + 1.0, (trials - events) as f64)
        .expect("both parameters are at least 1")
        .inverse_cdf(confidence)
}

/// The least rate that `events` of `trials` still allow, with `confidence`: the other one-sided
/// bound. Of no events it is 0.
///
/// # Panics
///
/// If there are more events than trials, or `confidence` is not between 0 and 1.
pub fn lower_bound(events: u64, trials: u64, confidence: f64) -> f64 {
    assert!(events <= trials, "{events} of {trials} is not a part");
    // An event that does not happen is one, too.
    1.0 - upper_bound(trials - events, trials, confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Of nothing seen in n trials: 1 - 0.05^(1/n), the "rule of three".
        let none = upper_bound(0, 200, 0.95);
        assert!((none - (1.0 - 0.05f64.powf(1.0 / 200.0))).abs() < 1e-9, "{none}");
        assert_eq!(upper_bound(0, 0, 0.95), 1.0);
        assert_eq!(upper_bound(7, 7, 0.95), 1.0);
    }

    #[test]
    fn at_the_bound_so_few_events_are_as_rare_as_promised() {
        for (events, trials) in [(1, 5), (3, 200), (10, 200), (199, 200), (20, 1000)] {
            let rate = upper_bound(events, trials, 0.95);
            let tail: f64 = (0..=events).map(|count| chance(count, trials, rate)).sum();
            assert!((tail - 0.05).abs() < 1e-6, "{events} of {trials}: {tail}");
        }
    }

    #[test]
    fn the_lower_bound_is_as_far_the_other_way() {
        assert_eq!(lower_bound(0, 10, 0.95), 0.0);
        assert_eq!(lower_bound(0, 0, 0.95), 0.0);
        for (events, trials) in [(1, 5), (3, 10), (18, 200), (200, 200)] {
            let rate = lower_bound(events, trials, 0.95);
            let tail: f64 = (events..=trials).map(|count| chance(count, trials, rate)).sum();
            assert!((tail - 0.05).abs() < 1e-6, "{events} of {trials}: {tail}");
        }
    }

    fn chance(events: u64, trials: u64, rate: f64) -> f64 {
        let ways: f64 =
            (0..events).map(|i| ((trials - i) as f64).ln() - ((i + 1) as f64).ln()).sum();
        (ways + events as f64 * rate.ln() + (trials - events) as f64 * (1.0 - rate).ln()).exp()
    }
}
