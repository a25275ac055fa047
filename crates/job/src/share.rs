//! A job dealt to several workers, each of which does its share apart from the others.
//!
//! ```text
//!   document       0   1   2   3   4   5   6  …      four at once
//!   share 0 of 3   0           3           6  …      two at once
//!   share 1 of 3       1           4          …      one
//!   share 2 of 3           2           5      …      one
//! ```
//!
//! The kernel deals connections like that to the processes that listen on one port with
//! `SO_REUSEPORT`: beforehand, and without knowing who is busy.

use std::time::Instant;

use crate::{Job, Schedule};

/// What one worker does of a job.
#[derive(Debug, Clone)]
pub struct Share {
    /// Its documents and its part of the concurrency, as a job. The job's own `arrivals` stand in
    /// it still; when *these* documents are due, the schedule says.
    pub job: Job,
    /// When its documents are due, in an open loop.
    pub schedule: Option<Schedule>,
    /// When the whole job began.
    pub start: Instant,
}

impl Share {
    /// How many workers, of `most`, there is something to do for: no more than requests in flight,
    /// and one at least.
    pub fn workers(job: &Job, most: u64) -> u64 {
        most.min(job.in_flight_most()).max(1)
    }

    /// Deals `job`, which begins now, to as many [`workers`](Share::workers).
    ///
    /// The shares have all of its documents once, and together all of its concurrency.
    pub fn deal(job: &Job, most: u64) -> Vec<Share> {
        let of = Share::workers(job, most);
        let schedule = Schedule::of(job);
        let start = schedule.map_or_else(Instant::now, |schedule| schedule.start());
        (0..of)
            .map(|number| Share {
                job: dealt(job, number, of),
                schedule: schedule.map(|schedule| schedule.share(number, of)),
                start,
            })
            .collect()
    }
}

/// Documents `number`, `number + of`, `number + 2 of`, …
///
/// Their ids are a list that begins anew, too: as many documents on as the job has ids, the same ids
/// come again.
fn dealt(job: &Job, number: u64, of: u64) -> Job {
    let ids = (0..job.ids.len() as u64).map(|place| job.id(number + place * of)).collect();
    Job {
        ids,
        documents: part(job.documents, number, of),
        concurrency: part(job.concurrency, number, of),
        ..job.clone()
    }
}

/// How many of `all` are `number`, `number + of`, and so on: the first ones have one more.
fn part(all: u64, number: u64, of: u64) -> u64 {
    all / of + u64::from(number < all % of)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Arrivals, Client, Corpus, Process};

    fn job(ids: u32, documents: u64, concurrency: u64) -> Job {
        let corpus = Corpus::generated(7, 1_500, ids).unwrap();
        Job::new("http://127.0.0.1:1", &corpus, documents, concurrency, Client::Raw)
    }

    proptest! {
        #[test]
        fn shares_are_the_job(
            ids in 1u32..9,
            documents in 0u64..60,
            concurrency in 1u64..20,
            workers in 1u64..9,
        ) {
            let job = job(ids, documents, concurrency);
            let shares = Share::deal(&job, workers);
            prop_assert_eq!(shares.len() as u64, workers.min(concurrency).min(documents.max(1)));
            let sum = |of: fn(&Job) -> u64| shares.iter().map(|share| of(&share.job)).sum::<u64>();
            prop_assert_eq!(sum(|job| job.documents), documents);
            prop_assert_eq!(sum(|job| job.concurrency), concurrency);
            prop_assert_eq!(sum(Job::in_flight_most), job.in_flight_most());
            // In the order of the job, each document is the next of the share whose turn it is.
            let mut theirs: Vec<_> = shares.iter().map(|share| share.job.urls()).collect();
            for (url, number) in job.urls().zip((0..shares.len()).cycle()) {
                prop_assert_eq!(theirs[number].next(), Some(url));
            }
        }

        #[test]
        fn a_document_is_due_when_the_job_says_whoever_fetches_it(
            documents in 1u64..60,
            workers in 1u64..9,
            is_uniform: bool,
        ) {
            let process = if is_uniform { Process::Uniform } else { Process::Poisson };
            let arrivals = Arrivals { process, rate: 1_000, seed: 5 };
            let job = Job { arrivals: Some(arrivals), ..job(3, documents, 64) };
            let shares = Share::deal(&job, workers);
            let schedules: Vec<_> = shares.iter().map(|share| share.schedule.unwrap()).collect();
            let mut due: Vec<_> = schedules.iter().map(Schedule::due).collect();
            for (moment, number) in arrivals.schedule(documents).zip((0..shares.len()).cycle()) {
                prop_assert_eq!(due[number].next(), Some(moment));
            }
            let all = (shares[0].start, arrivals.end(documents));
            prop_assert!(schedules.iter().all(|it| (it.start(), it.end()) == all));
        }
    }

    #[test]
    fn a_closed_loop_has_no_schedule_in_shares_either() {
        let shares = Share::deal(&job(3, 10, 2), 2);
        assert!(shares.len() == 2 && shares.iter().all(|share| share.schedule.is_none()));
    }
}
