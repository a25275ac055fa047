//! A number for each round of a server's cell, or why there is none.

use std::collections::BTreeMap;

use harness::number::grouped;
use serving::plan::{Cell, PlannedCell};
use serving::sample::{Sample, Void};
use serving::scene::{Kind, Scene};
use serving::{Plan, Recorded};

use super::evidence::{Absent, Found};
use super::lanes::{MIB, POINTS_LEAST};
use super::ledger::{Measure, ServerPlace};
use crate::stats::quantile;
use crate::stats::slope::Slope;
use crate::summary::{is_void, not_reached};

const KIB: f64 = 1024.0;

/// What a record of servers has to say of claims.
#[derive(Debug)]
pub(super) struct Servers<'a> {
    recorded: &'a Recorded,
    samples: BTreeMap<&'a Cell, Vec<&'a Sample>>,
}

impl<'a> Servers<'a> {
    /// All of a record.
    pub(super) fn of(recorded: &'a Recorded) -> Self {
        let mut samples: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for sample in &recorded.samples {
            samples.entry(&sample.cell).or_default().push(sample);
        }
        Servers { recorded, samples }
    }

    /// What is measured there in each round, and what there is to say of its samples.
    pub(super) fn series(&self, measure: Measure, place: &ServerPlace) -> Found {
        let plan = &self.recorded.plan;
        let planned = plan.cells.iter().find(|planned| is_it(&planned.cell, place));
        let planned = planned.ok_or_else(|| Absent::Unplanned(why_not_planned(plan, place)))?;
        let (counted, note) = self.counted(planned)?;
        let scene = plan.script.scene(&place.scene);
        let values = counted.into_iter().map(|s| (s.round, value(measure, s, scene)));
        let values = values.filter_map(|(round, value)| Some((round, value?)));
        Ok((values.collect(), note.into_iter().collect()))
    }

    /// The samples that count, and what there is to say of the others.
    fn counted(&self, planned: &PlannedCell) -> Result<(Vec<&'a Sample>, Option<String>), Absent> {
        let cell = &planned.cell;
        let told = |why: &str| {
            format!("{} at {} clients: {why}", cell.server, grouped(cell.point.clients))
        };
        if let Some(why) = &planned.not_run {
            return Err(Absent::Missing(told(why)));
        }
        let all = self.samples.get(cell).map_or(&[][..], Vec::as_slice);
        let (taken, counted) = (all.iter().filter(|s| !s.warmup).count(), counted(all));
        let voids: Vec<_> = all.iter().filter_map(|sample| sample.void.as_ref()).collect();
        let failure = voids.iter().rfind(|void| void.failed).copied();
        let failure = failure.or_else(|| self.why_lost(&cell.server));
        let why = failure.or(voids.last().copied()).map(|void| void.why.as_str());
        let disturbed = |too_many: &str, why: &str| {
            let voided = taken - counted.len();
            format!("{voided} of {taken} samples do not count{too_many}: {why}")
        };
        let why = match why {
            Some(why) if counted.is_empty() => why.to_owned(),
            Some(why) if is_void(taken, counted.len()) => disturbed(", which is too many", why),
            _ if counted.is_empty() => not_reached(self.recorded.ending.as_ref()).to_owned(),
            Some(why) if counted.len() < taken => {
                let note = format!("{}: {}", cell.server, disturbed("", why));
                return Ok((counted, Some(note)));
            }
            _ => return Ok((counted, None)),
        };
        Err(match failure {
            Some(_) => Absent::Failed(told(&why)),
            None => Absent::Missing(told(&why)),
        })
    }

    /// Why a server never ran: only the cell that it was first needed for has a sample of that.
    fn why_lost(&self, server: &str) -> Option<&'a Void> {
        let own = self.recorded.samples.iter().filter(|sample| sample.cell.server == server);
        let is_lost = own.clone().all(|sample| sample.server.is_none());
        own.filter(|_| is_lost).find_map(|sample| sample.void.as_ref().filter(|void| void.failed))
    }
}

fn counted<'a>(samples: &[&'a Sample]) -> Vec<&'a Sample> {
    samples.iter().copied().filter(|sample| !sample.warmup && sample.void.is_none()).collect()
}

fn is_it(cell: &Cell, place: &ServerPlace) -> bool {
    cell.scene == place.scene
        && cell.handler == place.handler
        && cell.server == place.server
        && cell.point.slow == 0
        && place.clients.is_none_or(|clients| cell.point.clients == clients)
        && place.percent.is_none_or(|percent| cell.point.percent == Some(percent))
}

fn why_not_planned(plan: &Plan, place: &ServerPlace) -> String {
    let has = |is_it: &dyn Fn(&Cell) -> bool| plan.cells.iter().any(|it| is_it(&it.cell));
    let ServerPlace { scene, handler, server, .. } = place;
    if !has(&|cell| cell.scene == *scene) {
        return format!("{scene} is not in this record");
    }
    if !has(&|cell| cell.server == *server) {
        return format!("{server} is not in this record");
    }
    if !has(&|cell| cell.scene == *scene && cell.handler == *handler) {
        return format!("{scene} is not in this record with `{handler}`");
    }
    format!("{server} is not in this record at this point of {scene}")
}

/// In [`Measure::unit`].
fn value(measure: Measure, sample: &Sample, scene: &Scene) -> Option<f64> {
    let clients = sample.clients.as_ref();
    let wall_ms = || Some(clients?.wall_ns as f64 / 1e6);
    let service = |part| Some(quantile(&clients?.service_times_ns, part)? as f64 / 1e6);
    match measure {
        Measure::Wall => wall_ms(),
        Measure::Cpu => Some(sample.server?.cpu_us as f64 / 1e3),
        Measure::Throughput => {
            let seconds = wall_ms()?.max(scene.for_ms as f64) / 1e3;
            Some(clients?.answered as f64 / seconds)
        }
        Measure::ServiceTime => service(0.5),
        Measure::ServiceTimeP99 => service(0.99),
        Measure::Memory => Some(sample.server?.held.private_bytes as f64 / MIB),
        Measure::MemoryEach => memory_each(sample, scene.load),
        Measure::ProcessWall | Measure::UserCpu | Measure::Rss => None,
    }
}

/// An idle connection that the server has closed holds nothing; one that waits for its answer is there.
fn memory_each(sample: &Sample, load: Kind) -> Option<f64> {
    let points = sample.steps.iter().map(|step| {
        let held = if load == Kind::Idle { step.open } else { step.connections };
        (held as f64, step.held.private_bytes as f64 / KIB)
    });
    let points: Vec<_> = points.collect();
    // Its interval is not needed, as rounds give one.
    (points.len() >= POINTS_LEAST).then(|| Slope::of(&points, 0.95))?.map(|slope| slope.slope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::fixture::served;

    fn place(clients: u64, server: &str) -> ServerPlace {
        let (scene, handler) = ("at-once".to_owned(), "waits".to_owned());
        ServerPlace { scene, handler, clients: Some(clients), percent: None, server: server.into() }
    }

    fn series(recorded: &Recorded, measure: Measure, place: &ServerPlace) -> Found {
        Servers::of(recorded).series(measure, place)
    }

    #[test]
    fn each_round_has_its_value() {
        let of = |measure| {
            let series = series(&served(), measure, &place(5, "blocking/pool")).unwrap().0;
            assert_eq!(series.len(), 8);
            series[&3]
        };
        assert_eq!((of(Measure::Wall), of(Measure::Cpu)), (200.0, 20.0));
        assert_eq!((of(Measure::ServiceTime), of(Measure::ServiceTimeP99)), (100.0, 200.0));
        assert_eq!((of(Measure::Throughput), of(Measure::Memory)), (25.0, 3.0));
    }

    #[test]
    fn what_is_asked_for_a_time_is_divided_by_that() {
        let mut recorded = served();
        recorded.plan.script.scenes[0].for_ms = 500;
        let throughput = series(&recorded, Measure::Throughput, &place(5, "blocking/pool"));
        assert_eq!(throughput.unwrap().0[&3], 10.0);
    }

    #[test]
    fn one_more_connection_holds_what_memory_rises_by() {
        let of = |scene: &str| {
            let held =
                ServerPlace { scene: scene.into(), clients: None, ..place(1, "blocking/pool") };
            series(&served(), Measure::MemoryEach, &held).unwrap().0[&0]
        };
        assert_eq!(of("waiting"), 8.0);
        assert_eq!(of("idle"), 16.0, "half of these were closed");
    }

    #[test]
    fn what_was_not_measured_says_why() {
        let absent = |recorded: &Recorded, place: &ServerPlace| {
            series(recorded, Measure::Wall, place).unwrap_err()
        };
        for (place, why) in [
            (place(1, "other/trio"), "other/trio is not in this record"),
            (
                place(7, "blocking/pool"),
                "blocking/pool is not in this record at this point of at-once",
            ),
            (
                ServerPlace { handler: "burns".into(), ..place(1, "blocking/pool") },
                "at-once is not in this record with `burns`",
            ),
            (
                ServerPlace { scene: "closed".into(), ..place(1, "blocking/pool") },
                "closed is not in this record",
            ),
        ] {
            assert_eq!(absent(&served(), &place), Absent::Unplanned(why.into()));
        }
        let not_run = absent(&served(), &place(5, "other/nginx"));
        let why = "other/nginx at 5 clients: nginx is not set up";
        assert_eq!(not_run, Absent::Missing(why.into()));
        let mut recorded = served();
        recorded.samples.clear();
        let why = "blocking/pool at 5 clients: not reached: the run was killed";
        assert_eq!(absent(&recorded, &place(5, "blocking/pool")), Absent::Missing(why.into()));
    }

    /// Makes the first `count` samples of the pool at five clients void.
    fn spoiled(count: usize, failed: bool) -> Recorded {
        let mut recorded = served();
        let is_it = |s: &&mut Sample| is_it(&s.cell, &place(5, "blocking/pool")) && !s.warmup;
        for sample in recorded.samples.iter_mut().filter(is_it).take(count) {
            sample.void = Some(Void { failed, why: "it did not answer".into() });
        }
        recorded
    }

    #[test]
    fn a_server_that_failed_is_told_apart_from_one_that_was_disturbed() {
        for failed in [true, false] {
            let walls =
                |count| series(&spoiled(count, failed), Measure::Wall, &place(5, "blocking/pool"));
            let (few, notes) = walls(2).unwrap();
            let note = "blocking/pool: 2 of 8 samples do not count: it did not answer";
            assert_eq!((few.len(), notes.as_slice()), (6, &[note.to_owned()][..]));
            let absent = walls(3).unwrap_err();
            assert_eq!(matches!(absent, Absent::Failed(_)), failed, "{absent:?}");
            let why = "3 of 8 samples do not count, which is too many: it did not answer";
            assert_eq!(absent.why(), format!("blocking/pool at 5 clients: {why}"));
        }
    }

    #[test]
    fn a_server_that_did_not_start_failed_everywhere() {
        let mut recorded = served();
        let is_first = |s: &Sample| s.warmup && s.cell.point.clients == 1;
        recorded.samples.retain(|s| s.cell.server != "blocking/pool" || is_first(s));
        let lost = recorded.samples.iter_mut().find(|s| s.cell.server == "blocking/pool").unwrap();
        (lost.clients, lost.server) = (None, None);
        let why = "it cannot be started: the port is taken";
        lost.void = Some(Void { failed: true, why: why.into() });
        let absent = series(&recorded, Measure::Wall, &place(5, "blocking/pool")).unwrap_err();
        assert_eq!(absent, Absent::Failed(format!("blocking/pool at 5 clients: {why}")));
    }
}
