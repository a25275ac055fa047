//! What one record or several have to say of claims: a number for each round of a ratio's sides, or why
//! there is none.
//!
//! A record is of lanes or of servers. Rounds pair within a record alone, so both sides of a ratio come
//! from one: the first that has samples for both.

use std::collections::BTreeMap;

use harness::record::Recorded;

use super::growth::Growth;
use super::lanes::Lanes;
use super::ledger::{GrowthChart, Over, Place, Ratio, Side};
use super::servers::Servers;
use crate::summary::Summary;

/// What records have to say of claims.
#[derive(Debug)]
pub struct Evidence<'a>(Vec<Source<'a>>);

#[derive(Debug)]
enum Source<'a> {
    Lanes(Lanes<'a>),
    Servers(Servers<'a>),
}

/// By round.
pub(super) type Series = BTreeMap<u32, f64>;

/// The same, with what there is to say of its samples.
pub(super) type Found = Result<(Series, Vec<String>), Absent>;

/// Both sides of a ratio, of one record.
#[derive(Debug)]
pub(super) struct Both {
    pub(super) of: Series,
    pub(super) over: Series,
    pub(super) notes: Vec<String>,
}

/// Why there is no series: what tells more comes later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absent {
    /// No record is of what it is measured of.
    Foreign(&'static str),
    /// It was not to be measured.
    Unplanned(String),
    /// It was not measured, or does not count.
    Missing(String),
    /// It was, and did not do its job.
    Failed(String),
}

impl Absent {
    /// For a person.
    pub(super) fn why(self) -> String {
        match self {
            Absent::Foreign(kind) => format!("it takes a record of {kind}"),
            Absent::Unplanned(why) | Absent::Missing(why) | Absent::Failed(why) => why,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Absent::Foreign(_) => 0,
            Absent::Unplanned(_) => 1,
            Absent::Missing(_) => 2,
            Absent::Failed(_) => 3,
        }
    }
}

impl<'a> Evidence<'a> {
    /// All of a record of lanes.
    pub fn of(recorded: &'a Recorded, summary: &'a Summary) -> Self {
        Evidence(vec![Source::Lanes(Lanes::of(recorded, summary))])
    }

    /// All of a record of servers.
    pub fn of_servers(recorded: &'a serving::Recorded) -> Self {
        Evidence(vec![Source::Servers(Servers::of(recorded))])
    }

    /// What both sides of a ratio measure in each round, in the first record that has samples for both.
    pub(super) fn both(&self, ratio: &Ratio) -> Result<Both, Absent> {
        let mut absent = Absent::Foreign(ratio.of.place.kind());
        for source in &self.0 {
            match source.both(ratio) {
                Ok(both) => return Ok(both),
                Err(why) if why.rank() > absent.rank() => absent = why,
                Err(_) => {}
            }
        }
        Err(absent)
    }

    /// Time over documents, in the first record that has it.
    pub(super) fn growth(&self, asked: &GrowthChart) -> Option<Growth> {
        self.0.iter().find_map(|source| match source {
            Source::Lanes(lanes) => Growth::of(asked, lanes),
            Source::Servers(_) => None,
        })
    }
}

impl<'a> FromIterator<Evidence<'a>> for Evidence<'a> {
    fn from_iter<T: IntoIterator<Item = Self>>(all: T) -> Self {
        Evidence(all.into_iter().flat_map(|evidence| evidence.0).collect())
    }
}

impl Source<'_> {
    fn both(&self, ratio: &Ratio) -> Result<Both, Absent> {
        let (of, mut notes) = self.series(&ratio.of)?;
        let over = match &ratio.over {
            Over::Milliseconds(ms) => of.keys().map(|round| (*round, *ms)).collect(),
            Over::Side(side) => {
                let (over, more) = self.series(side)?;
                notes.extend(more);
                over
            }
        };
        Ok(Both { of, over, notes })
    }

    fn series(&self, side: &Side) -> Found {
        match (self, &side.place) {
            (Source::Lanes(lanes), Place::Lane(place)) => lanes.series(side.measure, place),
            (Source::Servers(servers), Place::Server(place)) => servers.series(side.measure, place),
            (_, place) => Err(Absent::Foreign(place.kind())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Ledger;
    use crate::claims::fixture::{LEDGER, compared, served};
    use crate::summarise;

    #[test]
    fn a_ratio_is_of_the_first_record_that_has_both_sides() {
        let ledger = Ledger::read("c.toml", LEDGER).unwrap();
        let ratio = &ledger.claims[0].experiments[0].ratio;
        let whole = compared();
        let mut halved = compared();
        halved.plan.cells.retain(|planned| planned.cell.lane != "other/slow");
        let mut failed = compared();
        let slow = failed.samples.iter_mut().filter(|sample| sample.cell.lane == "other/slow");
        slow.for_each(crate::fixture::fail);
        let summaries = [&whole, &halved, &failed].map(summarise);
        let of = |index: usize, recorded| Evidence::of(recorded, &summaries[index]);
        let servers = served();
        let both = |all: Vec<Evidence<'_>>| all.into_iter().collect::<Evidence<'_>>().both(ratio);
        let none = both(vec![Evidence::of_servers(&servers)]).unwrap_err();
        assert_eq!(none.why(), "it takes a record of lanes");
        let none = both(vec![Evidence::of_servers(&servers), of(1, &halved)]).unwrap_err();
        assert_eq!(none.why(), "other/slow is not in this record");
        let none = both(vec![of(1, &halved), of(2, &failed)]).unwrap_err();
        assert!(matches!(none, Absent::Failed(_)), "it tells more: {none:?}");
        let all = vec![of(1, &halved), Evidence::of_servers(&servers), of(0, &whole)];
        let Both { of, over, .. } = both(all).unwrap();
        assert_eq!((of.len(), over.len()), (12, 12));
    }
}
