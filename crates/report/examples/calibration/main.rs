//! How often the statistics err, on measurements whose truth is known.
//!
//! ```sh
//! cargo run --release -p report --example calibration [-- SIMULATIONS]
//! ```
//!
//! A rate of 5 % that was counted in 400 simulations is known to within 2 %.

use std::time::Instant;

use noise::{Noise, Shape, group};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use report::stats::binomial::upper_bound;
use report::stats::holm::holm;
use report::stats::slope::Slope;
use report::stats::unpaired::Change;
use report::stats::{Interval, Paired};

mod noise;

const SHAPES: [Shape; 3] = [Shape::Normal, Shape::Laplace, Shape::Contaminated];
const DIFFERENCES: [f64; 4] = [0.03, 0.05, 0.1, 0.2];

fn main() {
    let simulations = std::env::args().nth(1).map_or(400, |n| n.parse().expect("a number"));
    paired_errors(simulations);
    paired_power(simulations / 2);
    unpaired(simulations * 10);
    slopes(simulations * 5);
    speed();
}

/// Counted events.
#[derive(Default, Clone, Copy)]
struct Rate {
    events: u64,
    trials: u64,
}

impl Rate {
    fn count(&mut self, event: bool) {
        self.events += u64::from(event);
        self.trials += 1;
    }

    fn percent(self) -> String {
        format!("{:.1}", 100.0 * self.events as f64 / self.trials.max(1) as f64)
    }
}

fn covers(interval: Option<Interval>, truth: f64) -> bool {
    interval.is_none_or(|interval| interval.contains(truth))
}

/// All lanes the same, but for the noise of the first.
fn paired_errors(simulations: u64) {
    println!(
        "\n# Paired: nothing differs ({simulations} groups a line, of two lanes three times as many; nominal 5 %; all in %)\n"
    );
    println!(
        "| lanes | rounds | noise | first lane | any pair | pairs with the first | family, Holm | its bound | 95 % covers | 99.9 % covers |"
    );
    println!("|--:|--:|---|---|--:|--:|--:|--:|--:|--:|");
    let sizes = [(2, 5), (2, 6), (2, 15), (3, 5), (8, 3), (8, 5), (8, 15)];
    for (lanes, rounds) in sizes {
        for shape in SHAPES {
            for noisier in [1.0, 3.0, 10.0] {
                paired_error(simulations, lanes, rounds, shape, noisier);
            }
        }
    }
}

fn paired_error(simulations: u64, lanes: usize, rounds: usize, shape: Shape, noisier: f64) {
    let mut random = Pcg64Mcg::seed_from_u64(1);
    let noise = |deviation| (0.0, Noise { shape, deviation });
    let mut truth = vec![noise(0.03); lanes];
    truth[0] = noise(0.03 * noisier);
    let [mut any, mut first, mut family, mut c95, mut c999] = [Rate::default(); 5];
    // Two lanes are quick.
    for _ in 0..if lanes == 2 { 3 * simulations } else { simulations } {
        let paired = Paired::of(&group(&truth, rounds, &mut random));
        let found = paired.comparisons(0.95);
        for comparison in &found {
            any.count(comparison.p <= 0.05);
            c95.count(covers(comparison.interval, 0.0));
            if comparison.first == 0 {
                first.count(comparison.p <= 0.05);
            }
        }
        for comparison in paired.comparisons(0.999) {
            c999.count(covers(comparison.interval, 0.0));
        }
        let adjusted = holm(&found.iter().map(|comparison| comparison.p).collect::<Vec<_>>());
        family.count(adjusted.iter().any(|p| *p <= 0.05));
    }
    let bound = 100.0 * upper_bound(family.events, family.trials, 0.95);
    let rates = [any, first, family].map(Rate::percent).join(" | ");
    let covered = [c95, c999].map(Rate::percent).join(" | ");
    println!("| {lanes} | {rounds} | {shape:?} | ×{noisier} | {rates} | {bound:.1} | {covered} |");
}

/// Of eight lanes four are the same and the others slower; of two, one is slower.
fn paired_power(simulations: u64) {
    println!("\n# Paired: found, in % (alone / after Holm), {simulations} groups a line\n");
    println!("| lanes | rounds | noise | its deviation | 3 % slower | 5 % | 10 % | 20 % |");
    println!("|--:|--:|---|--:|--:|--:|--:|--:|");
    for (lanes, rounds) in [(2, 6), (2, 15), (8, 3), (8, 5), (8, 15)] {
        for shape in SHAPES {
            for deviation in [0.02, 0.05] {
                let noise = Noise { shape, deviation };
                let cells = power(simulations, lanes, rounds, noise).join(" | ");
                println!(
                    "| {lanes} | {rounds} | {shape:?} | {:.0} % | {cells} |",
                    100.0 * deviation
                );
            }
        }
    }
}

fn power(simulations: u64, lanes: usize, rounds: usize, noise: Noise) -> [String; 4] {
    let mut random = Pcg64Mcg::seed_from_u64(2);
    let mut found = [[Rate::default(); 2]; 4];
    let groups: Vec<Vec<usize>> =
        if lanes == 2 { (0..4).map(|one| vec![one]).collect() } else { vec![(0..4).collect()] };
    for slower in groups.iter().flat_map(|group| std::iter::repeat_n(group, simulations as usize)) {
        let same = lanes - slower.len();
        let mut truth = vec![(0.0, noise); same];
        truth.extend(slower.iter().map(|which| (DIFFERENCES[*which].ln_1p(), noise)));
        let comparisons = Paired::of(&group(&truth, rounds, &mut random)).comparisons(0.95);
        let adjusted = holm(&comparisons.iter().map(|found| found.p).collect::<Vec<_>>());
        for (comparison, adjusted) in comparisons.iter().zip(adjusted) {
            if comparison.first < same && comparison.second >= same {
                let rates = &mut found[slower[comparison.second - same]];
                let right = comparison.estimate.is_some_and(|estimate| estimate < 0.0);
                for (rate, p) in rates.iter_mut().zip([comparison.p, adjusted]) {
                    rate.count(right && p <= 0.05);
                }
            }
        }
    }
    found.map(|rates| rates.map(Rate::percent).join(" / "))
}

fn unpaired(simulations: u64) {
    println!("\n# Unpaired ({simulations} pairs of runs a line, noise of 5 %; all in %)\n");
    println!(
        "| samples | noise | first run | called different | 95 % covers | 99.9 % covers | finds 10 % | finds 20 % |"
    );
    println!("|--:|---|---|--:|--:|--:|--:|--:|");
    for counts in [(3, 3), (3, 15), (5, 5), (10, 10), (15, 15)] {
        for shape in SHAPES {
            for noisier in [1.0, 3.0] {
                change(simulations, counts, shape, noisier);
            }
        }
    }
}

fn change(simulations: u64, counts: (usize, usize), shape: Shape, noisier: f64) {
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let mut run = |count, deviation| -> Vec<f64> {
        (0..count).map(|_| Noise { shape, deviation }.draw(&mut random).exp()).collect()
    };
    let [mut wrong, mut c95, mut c999, mut ten, mut twenty] = [Rate::default(); 5];
    for _ in 0..simulations {
        let (first, second) = (run(counts.0, 0.05 * noisier), run(counts.1, 0.05));
        let found = Change::of(&first, &second, 0.95);
        wrong.count(found.p <= 0.05);
        c95.count(covers(found.interval, 0.0));
        c999.count(covers(Change::of(&first, &second, 0.999).interval, 0.0));
        for (rate, slower) in [(&mut ten, 1.1), (&mut twenty, 1.2)] {
            let slower: Vec<_> = first.iter().map(|value| value * slower).collect();
            rate.count(Change::of(&slower, &second, 0.95).p <= 0.05);
        }
    }
    let rates = [wrong, c95, c999, ten, twenty].map(Rate::percent).join(" | ");
    println!("| {} and {} | {shape:?} | ×{noisier} | {rates} |", counts.0, counts.1);
}

fn slopes(simulations: u64) {
    println!(
        "\n# Slope: 8 a task from 1000 on, noise of 3 % of 1000 or of each value ({simulations} lines a line)\n"
    );
    println!(
        "| n | samples at each | noise | grows with n | bounded | 95 % covers | half width, median |"
    );
    println!("|---|--:|---|---|--:|--:|--:|");
    for tasks in [&[10, 100, 1000][..], &[100, 200, 400, 800, 1600]] {
        for samples in [2, 3, 5, 15] {
            for shape in SHAPES {
                for grows in [false, true] {
                    slope(simulations, tasks, samples, shape, grows);
                }
            }
        }
    }
}

fn slope(simulations: u64, tasks: &[u32], samples: usize, shape: Shape, grows: bool) {
    let mut random = Pcg64Mcg::seed_from_u64(4);
    let [mut bounded, mut covered] = [Rate::default(); 2];
    let mut widths = Vec::new();
    for _ in 0..simulations {
        let mut points = Vec::new();
        for n in tasks.iter().flat_map(|n| std::iter::repeat_n(f64::from(*n), samples)) {
            let truth = 1000.0 + 8.0 * n;
            let noise = Noise { shape, deviation: 0.03 }.draw(&mut random);
            points.push((n, truth + noise * if grows { truth } else { 1000.0 }));
        }
        let found = Slope::of(&points, 0.95).expect("several n");
        bounded.count(found.interval.is_some());
        if let Some(interval) = found.interval {
            covered.count(interval.contains(8.0));
            widths.push((interval.high - interval.low) / 2.0);
        }
    }
    let width = report::stats::median(&widths).map_or("none".into(), |width| format!("{width:.3}"));
    let rates = [bounded, covered].map(Rate::percent).join(" | ");
    println!("| {tasks:?} | {samples} | {shape:?} | {grows} | {rates} | {width} |");
}

/// A whole record: 40 groups, 3 metrics.
fn speed() {
    println!("\n# 120 groups of 8 lanes\n");
    let lane = (0.0, Noise { shape: Shape::Contaminated, deviation: 0.03 });
    for rounds in [3, 5, 15] {
        let mut random = Pcg64Mcg::seed_from_u64(5);
        let groups: Vec<_> = (0..120).map(|_| group(&[lane; 8], rounds, &mut random)).collect();
        let start = Instant::now();
        let pairs: usize =
            groups.iter().map(|group| Paired::of(group).comparisons(0.95).len()).sum();
        println!("{rounds} rounds: {pairs} comparisons in {:.2} s", start.elapsed().as_secs_f64());
    }
}
