//! How a lane looks, the same wherever it is drawn.
//!
//! Colours are told apart by people who see few of them, too, which a test holds them to; each lane has
//! a marker of its own, besides. All hold on white and on near-black.

/// The lanes that are known, in the order of the tables.
const KNOWN: [(&str, Look); 10] = [
    ("blocking/sequential", Look { colour: "#6a6a6a", dashes: &[], marker: "cross" }),
    ("blocking/pool", Look { colour: "#e69f00", dashes: &[], marker: "square" }),
    ("blocking/threads", Look { colour: "#d55e00", dashes: &[], marker: "triangle-up" }),
    ("stackful/may", Look { colour: "#009e73", dashes: &[], marker: "diamond" }),
    ("stackful/hub", Look { colour: "#35b5a6", dashes: &[6, 3], marker: "circle" }),
    ("stackful/hub-slab", Look { colour: "#9ea3ff", dashes: &[2, 2], marker: "triangle-left" }),
    ("stackful/hub-per-core", Look { colour: "#5454c0", dashes: &[10, 2], marker: "arrow" }),
    ("stackful/patched", Look { colour: "#c30d1f", dashes: &[6, 3], marker: "wedge" }),
    ("stackless/tokio", Look { colour: "#3b7dd8", dashes: &[], marker: "triangle-down" }),
    (
        "stackless/tokio-local",
        Look { colour: "#a8589f", dashes: &[8, 3, 2, 3], marker: "triangle-right" },
    ),
];

/// The servers that are known beside lanes, which have ids of their own. Each has the colour of the lane
/// that waits as it does; those of one model, which are drawn together, differ in colour or marker.
const SERVERS: [(&str, Look); 20] = [
    ("stackful/may_minihttp", Look { colour: "#009e73", dashes: &[], marker: "diamond" }),
    ("stackless/hyper", Look { colour: "#3b7dd8", dashes: &[], marker: "triangle-down" }),
    (
        "stackless/hyper-local",
        Look { colour: "#a8589f", dashes: &[8, 3, 2, 3], marker: "triangle-right" },
    ),
    ("stackless/hyper-per-core", Look { colour: "#5454c0", dashes: &[10, 2], marker: "arrow" }),
    ("other/gunicorn-sync-4", Look { colour: "#e69f00", dashes: &[], marker: "square" }),
    ("other/gunicorn-sync-100", Look { colour: "#e69f00", dashes: &[6, 3], marker: "wedge" }),
    ("other/gunicorn-gthread-100", Look { colour: "#d55e00", dashes: &[], marker: "triangle-up" }),
    ("other/gunicorn-gevent", Look { colour: "#35b5a6", dashes: &[6, 3], marker: "circle" }),
    ("other/gunicorn-gevent-2", Look { colour: "#5454c0", dashes: &[10, 2], marker: "circle" }),
    ("other/gevent-pywsgi", Look { colour: "#35b5a6", dashes: &[2, 2], marker: "triangle-left" }),
    ("other/uvicorn", Look { colour: "#a8589f", dashes: &[8, 3, 2, 3], marker: "triangle-right" }),
    ("other/uvicorn-2", Look { colour: "#5454c0", dashes: &[8, 3, 2, 3], marker: "arrow" }),
    ("other/uvicorn-uvloop", Look { colour: "#a8589f", dashes: &[], marker: "wedge" }),
    ("other/uvicorn-uvloop-2", Look { colour: "#5454c0", dashes: &[], marker: "square" }),
    ("other/sanic", Look { colour: "#a8589f", dashes: &[2, 2], marker: "diamond" }),
    ("other/aiohttp-server", Look { colour: "#a8589f", dashes: &[6, 3], marker: "triangle-up" }),
    ("other/tornado-server", Look { colour: "#a8589f", dashes: &[4, 2], marker: "square" }),
    ("other/meinheld", Look { colour: "#6a6a6a", dashes: &[4, 2], marker: "triangle-down" }),
    ("other/go-server", Look { colour: "#009e73", dashes: &[], marker: "diamond" }),
    ("other/nginx", Look { colour: "#6a6a6a", dashes: &[], marker: "cross" }),
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
    if let Some((_, look)) = KNOWN.iter().chain(&SERVERS).find(|(id, _)| *id == lane) {
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

    /// How colours are seen by whom one kind of cone is missing, in linear RGB: Machado, Oliveira
    /// and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
    /// 2009. Each with the least that two lanes must differ by: blue and green are close to few.
    const VISIONS: [(&str, [[f64; 3]; 3], f64); 4] = [
        ("all", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], 0.09),
        (
            "no red",
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            0.075,
        ),
        (
            "no green",
            [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
            0.075,
        ),
        (
            "no blue",
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
            0.045,
        ),
    ];

    fn times(matrix: [[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
        let product = |row: [f64; 3]| (0..3).map(|at| row[at] * vector[at]).sum::<f64>();
        matrix.map(|row| product(row).max(0.0))
    }

    fn linear(colour: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| {
            let part = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// Where equal distances look equally far (Ottosson, "A perceptual color space", 2020).
    fn oklab(linear: [f64; 3]) -> [f64; 3] {
        let to_cones = [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ];
        let [l, m, s] = times(to_cones, linear).map(f64::cbrt);
        [
            0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
        ]
    }

    #[test]
    fn lanes_differ_whichever_colours_somebody_sees() {
        for (who, matrix, least) in VISIONS {
            for (index, (one, _)) in KNOWN.iter().enumerate() {
                for (other, _) in &KNOWN[index + 1..] {
                    let [a, b] = [one, other].map(|id| oklab(times(matrix, linear(colour(id)))));
                    let distance = (0..3).map(|at| (a[at] - b[at]).powi(2)).sum::<f64>().sqrt();
                    assert!(distance >= least, "{one} and {other} to {who}: {distance:.3}");
                }
            }
        }
    }

    #[test]
    fn lanes_stand_out_from_light_and_dark_paper() {
        let luminance = |colour: &str| {
            let [red, green, blue] = linear(colour);
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        for (id, Look { colour, .. }) in &KNOWN {
            let own = luminance(colour);
            assert!(luminance("#ffffff") / own > 2.2, "{id} on white");
            assert!(own / luminance("#111111") > 3.0, "{id} on near-black");
        }
    }

    #[test]
    fn each_lane_has_a_marker_of_its_own() {
        let markers: BTreeSet<_> = KNOWN.iter().map(|(_, look)| look.marker).collect();
        assert_eq!(markers.len(), KNOWN.len());
    }

    #[test]
    fn servers_of_one_model_differ_and_have_colours_of_lanes() {
        let model = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
        let looks: BTreeSet<_> =
            SERVERS.iter().map(|(id, look)| (model(id), look.colour, look.marker)).collect();
        assert_eq!(looks.len(), SERVERS.len());
        let is_known = |colour: &str| KNOWN.iter().any(|(_, look)| look.colour == colour);
        assert!(SERVERS.iter().all(|(_, look)| is_known(look.colour)));
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
