//! Measurements that were never made: noise of known shape around a known truth.

use std::f64::consts::TAU;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// The shape of what disturbs a log value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// What textbooks have.
    Normal,
    /// Heavy tails.
    Laplace,
    /// Normal, but one sample in 20 is slower by 10 to 60 %.
    Contaminated,
}

/// Noise of one lane.
#[derive(Debug, Clone, Copy)]
pub struct Noise {
    /// Its shape.
    pub shape: Shape,
    /// Its standard deviation, of log values, without what contaminates it.
    pub deviation: f64,
}

impl Noise {
    /// One value of it.
    pub fn draw(self, random: &mut Pcg64Mcg) -> f64 {
        let regular = match self.shape {
            Shape::Laplace => laplace(random),
            Shape::Normal | Shape::Contaminated => normal(random),
        };
        let wild = matches!(self.shape, Shape::Contaminated) && random.random_bool(0.05);
        let slower = if wild { random.random_range(1.1..1.6f64).ln() } else { 0.0 };
        regular * self.deviation + slower
    }
}

/// A group of lanes with these true log values and a noise each, in rounds that differ by 10 %.
pub fn group(
    lanes: &[(f64, Noise)],
    rounds: usize,
    random: &mut Pcg64Mcg,
) -> Vec<Vec<Option<f64>>> {
    let slowness: Vec<_> = (0..rounds).map(|_| 0.1 * normal(random)).collect();
    let mut value =
        |(truth, noise): (f64, Noise), round: f64| Some((truth + round + noise.draw(random)).exp());
    lanes.iter().map(|lane| slowness.iter().map(|round| value(*lane, *round)).collect()).collect()
}

fn normal(random: &mut Pcg64Mcg) -> f64 {
    let (length, angle): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - length).ln()).sqrt() * (TAU * angle).cos()
}

/// With a variance of 1.
fn laplace(random: &mut Pcg64Mcg) -> f64 {
    let length = -(1.0 - random.random::<f64>()).ln() / 2f64.sqrt();
    if random.random() { length } else { -length }
}
