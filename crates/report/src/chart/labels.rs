//! Where labels stand that would lie on one another.

/// Moves values, which rise, as little as possible (in squares) until any two are `gap` apart and
/// all are from `low` to `high`; where there is no room for that, they go beyond `high`.
///
/// Values that are too near to one another stand as a block around the middle of where they want to
/// be, and blocks that meet become one: the pool-adjacent-violators algorithm (Ayer and others 1955).
pub fn apart(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    // Each block by the sum of where its first member wants it, and how many it has.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for value in wanted {
        let mut block = (*value, 1);
        while let Some((sum, count)) = blocks.last().copied() {
            let reach = sum / count as f64 + gap * count as f64;
            if reach <= block.0 / block.1 as f64 {
                break;
            }
            let first = block.0 - gap * (count * block.1) as f64;
            block = (sum + first, count + block.1);
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut placed = Vec::with_capacity(wanted.len());
    for (sum, count) in blocks {
        placed.extend((0..count).map(|index| sum / count as f64 + gap * index as f64));
    }
    let mut most = high;
    for place in placed.iter_mut().rev() {
        *place = place.min(most);
        most = *place - gap;
    }
    let mut least = low;
    for place in &mut placed {
        *place = place.max(least);
        least = *place + gap;
    }
    placed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(apart(&[10.0, 50.0], 15.0, 0.0, 100.0), [10.0, 50.0]);
        assert_eq!(apart(&[40.0, 50.0], 20.0, 0.0, 100.0), [35.0, 55.0]);
        // The third pushes the block of the first two.
        assert_eq!(apart(&[40.0, 50.0, 60.0], 20.0, 0.0, 100.0), [30.0, 50.0, 70.0]);
        assert_eq!(apart(&[1.0, 2.0], 20.0, 0.0, 100.0), [0.0, 20.0]);
        assert_eq!(apart(&[99.0, 100.0], 20.0, 0.0, 100.0), [80.0, 100.0]);
        assert_eq!(apart(&[], 20.0, 0.0, 100.0), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn all_are_apart_and_within(mut wanted in proptest::collection::vec(-50.0..350.0f64, 0..12)) {
            wanted.sort_by(f64::total_cmp);
            let placed = apart(&wanted, 15.0, 0.0, 300.0);
            prop_assert!(placed.windows(2).all(|pair| pair[1] - pair[0] > 15.0 - 1e-6));
            prop_assert!(placed.iter().all(|place| (-1e-6..=300.0 + 1e-6).contains(place)));
        }
    }
}
