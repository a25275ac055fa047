//! The order in which a plan's cells run.

use rand::seq::SliceRandom;
use rand_pcg::Pcg32;

use crate::plan::{Cell, Plan};

impl Plan {
    /// The cells of one round in the order in which they run: a randomised complete block design.
    ///
    /// A block holds all lanes at one point of one workload, so that what is compared is measured
    /// close together; blocks are shuffled, and lanes within each. No two samples in a row are of
    /// the same lane as long as there is an order that allows it; `previous` is the cell that ran
    /// last before this round.
    pub fn round(&self, round: u32, mut previous: Option<usize>) -> Vec<Vec<usize>> {
        let mut random = Pcg32::new(self.seed, u64::from(round));
        let mut blocks: Vec<Vec<usize>> = Vec::new();
        for index in self.running() {
            match blocks.last_mut() {
                Some(block) if self.same_block(block[0], index) => block.push(index),
                _ => blocks.push(vec![index]),
            }
        }
        blocks.shuffle(&mut random);
        for block in &mut blocks {
            self.shuffle_lanes(block, previous, &mut random);
            previous = block.last().copied();
        }
        blocks
    }

    /// For every lane with each client, its cell that is over soonest.
    pub fn warm_up(&self) -> Vec<usize> {
        let mut soonest: Vec<usize> = Vec::new();
        let cost = |index: usize| {
            let Cell { workload, point, .. } = &self.cells[index].cell;
            let workload = self.workload(workload);
            let each = workload.delay_us.saturating_add(workload.document_bytes);
            point.documents.saturating_mul(each)
        };
        for index in self.running() {
            let Cell { client, lane, placement, .. } = &self.cells[index].cell;
            let same = |kept: &&mut usize| {
                let kept = &self.cells[**kept].cell;
                kept.client == *client && kept.lane == *lane && kept.placement == *placement
            };
            match soonest.iter_mut().find(same) {
                Some(kept) if cost(index) < cost(*kept) => *kept = index,
                Some(_) => {}
                None => soonest.push(index),
            }
        }
        soonest
    }

    /// Rejection keeps every allowed order equally likely.
    fn shuffle_lanes(&self, block: &mut [usize], previous: Option<usize>, random: &mut Pcg32) {
        let lane = |index: usize| self.cells[index].cell.lane.as_str();
        for _ in 0..256 {
            block.shuffle(random);
            let order: Vec<_> = previous.iter().chain(block.iter()).copied().collect();
            if order.windows(2).all(|pair| lane(pair[0]) != lane(pair[1])) {
                break;
            }
        }
    }

    fn same_block(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.cells[a].cell, &self.cells[b].cell);
        a.workload == b.workload && a.point == b.point
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::tests::{limits, plan_with};

    #[test]
    fn a_round_holds_every_cell_once_in_the_same_order_for_the_same_seed() {
        let plan = plan_with(&limits(), 7);
        let round = plan.round(2, None);
        let mut all: Vec<_> = round.concat();
        all.sort_unstable();
        assert_eq!(all, plan.running().collect::<Vec<_>>());
        assert_eq!(round, plan_with(&limits(), 7).round(2, None));
        assert_ne!(round, plan.round(1, None));
        assert_ne!(round, plan_with(&limits(), 8).round(2, None));
    }

    #[test]
    fn no_lane_runs_twice_in_a_row() {
        for seed in 0..50 {
            let plan = plan_with(&limits(), seed);
            let mut order = plan.warm_up();
            order.drain(..order.len() - 1);
            for round in 0..3 {
                order.extend(plan.round(round, order.last().copied()).concat());
            }
            let lane = |index: usize| &plan.cells[index].cell.lane;
            assert!(order.windows(2).all(|pair| lane(pair[0]) != lane(pair[1])), "seed {seed}");
        }
    }

    #[test]
    fn every_lane_warms_up_once_with_each_client_where_it_is_over_soonest() {
        let plan = plan_with(&limits(), 1);
        let warm_up = plan.warm_up();
        assert_eq!(warm_up.len(), 2 * 3 + 2);
        assert!(warm_up.iter().all(|index| plan.cells[*index].cell.point.documents == 1));
    }
}
