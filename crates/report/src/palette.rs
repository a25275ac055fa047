//! How a lane looks, the same wherever it is drawn.
//!
//! Colours are told apart under the common kinds of colour blindness as far as seven can be; where two
//! of them come close, the line's dashes and the marker differ. They hold on white and on near-black.

/// The lanes that are known, in the order of the tables.
const KNOWN: [(&str, Look); 7] = [
    ("blocking/sequential", Look { colour: "#8c8c8c", dashes: &[2, 3], marker: "cross" }),
    ("blocking/pool", Look { colour: "#e69f00", dashes: &[], marker: "square" }),
    ("blocking/threads", Look { colour: "#d55e00", dashes: &[], marker: "triangle-up" }),
    ("stackful/may", Look { colour: "#009e73", dashes: &[], marker: "diamond" }),
    ("stackful/hub", Look { colour: "#35b5a6", dashes: &[6, 3], marker: "circle" }),
    ("stackless/tokio", Look { colour: "#3b7dd8", dashes: &[], marker: "triangle-down" }),
    ("stackless/tokio-local", Look { colour: "#cc79a7", dashes: &[8, 3, 2, 3], marker: "circle" }),
];

/// For lanes that somebody adds.
const OTHERS: [&str; 6] = ["#7a5195", "#a6761d", "#668000", "#b3446c", "#4c6a92", "#8a6bbe"];

/// Markers beside those colours.
const OTHER_MARKERS: [&str; 4] = ["square", "diamond", "triangle-up", "triangle-down"];

/// Colour, dashes and marker of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// As `#rrggbb`.
    pub colour: &'static str,
    /// Lengths of dashes and gaps; empty for a whole line.
    pub dashes: &'static [u8],
    /// A symbol's name, as Vega and Vega-Lite have them.
    pub marker: &'static str,
}

/// How `lane` looks. A variant looks like the lane that it is one of.
pub fn look(lane: &str) -> Look {
    let lane = lane.split('+').next().unwrap_or(lane);
    if let Some((_, look)) = KNOWN.iter().find(|(id, _)| *id == lane) {
        return *look;
    }
    let hash = hash(lane);
    Look {
        colour: OTHERS[hash % OTHERS.len()],
        dashes: &[4, 2],
        marker: OTHER_MARKERS[hash / OTHERS.len() % OTHER_MARKERS.len()],
    }
}

/// The lane's colour as `#rrggbb`.
pub fn colour(lane: &str) -> &'static str {
    look(lane).colour
}

/// FNV-1a: the same in every version, which the standard's hasher does not promise.
fn hash(text: &str) -> usize {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    text.bytes().fold(2_166_136_261, step) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn known_lanes_differ_in_colour() {
        let colours: BTreeSet<_> = KNOWN.iter().map(|(id, _)| colour(id)).collect();
        assert_eq!(colours.len(), KNOWN.len());
    }

    #[test]
    fn a_variant_looks_like_its_lane() {
        assert_eq!(look("stackful/hub+cpu=5%"), look("stackful/hub"));
    }

    #[test]
    fn a_lane_that_nobody_knows_has_a_colour_that_stays() {
        assert_eq!(look("other/gevent"), look("other/gevent"));
        assert!(OTHERS.contains(&colour("other/gevent")));
        assert!(colour("other/gevent").starts_with('#'));
    }
}
