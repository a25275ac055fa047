//! What a person sees meanwhile.

use harness::measure::{Event, MeasureError};
use harness::origin_process::OriginError;
use harness::plan::NotRun;
use harness::record::How;
use harness::{Bench, Ending, Plan, Sample};
use harness::{inspect, timelines};
use indicatif::{ProgressBar, ProgressStyle};

use crate::print::tell_line;

/// Measures, then looks at lanes request by request, then takes the cells apart if that was asked
/// for, and shows how far it is.
///
/// # Errors
///
/// Those of [`harness::measure()`].
pub fn measure(bench: &mut Bench<'_>) -> Result<Ending, MeasureError> {
    let ending = {
        let progress = Progress::over(bench.plan);
        harness::measure(bench, &mut |event| progress.show(&event))?
    };
    let ending = afterwards(ending, "not all timelines were taken", |progress| {
        harness::timelines(bench, &mut |event| progress.show_timeline(&event))
    });
    if !bench.inspect {
        return Ok(ending);
    }
    Ok(afterwards(ending, "not all cells were taken apart", |progress| {
        harness::inspect(bench, &mut |event| progress.show_inspection(&event))
    }))
}

/// A pass after a run that has come to its end. What was timed is in the record with its end, so
/// whatever happens here is only told.
fn afterwards(
    ending: Ending,
    what_failed: &str,
    pass: impl FnOnce(&Progress) -> Result<bool, MeasureError>,
) -> Ending {
    if !matches!(ending.how, How::Complete | How::OutOfTime) {
        return ending;
    }
    let progress = Progress::new(0);
    let done = pass(&progress);
    drop(progress);
    match done {
        Ok(true) => ending,
        Ok(false) | Err(MeasureError::Origin(OriginError::Interrupted)) => {
            Ending { how: How::Interrupted, ..ending }
        }
        Err(error) => {
            tell_line(&format!("{what_failed}: {error}"));
            ending
        }
    }
}

/// A bar on standard error, and a line for every sample that does not count.
///
/// Without a terminal there is no bar. It is drawn between samples only: a bar that ticks would
/// take time from what is measured.
#[derive(Debug)]
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Over all samples of the plan; what the plan had to refuse is told first.
    fn over(plan: &Plan) -> Self {
        tell_refusals(plan);
        let samples = plan.running().count() as u64 * u64::from(plan.rounds);
        Progress::new(samples)
    }

    fn new(length: u64) -> Self {
        let template = "{bar:24} {pos}/{len} {elapsed} {wide_msg}";
        let style = ProgressStyle::with_template(template).expect("a constant template is right");
        let bar = ProgressBar::new(length).with_style(style);
        Progress { bar }
    }

    /// Shows what happens.
    fn show(&self, event: &Event<'_>) {
        match event {
            Event::Starting(cell) => self.bar.set_message(cell.to_string()),
            Event::Skipped(_) => self.bar.inc(1),
            Event::Taken(sample) => {
                // The warm-up is beside the count.
                self.bar.inc(u64::from(!sample.warmup));
                self.tell_void(sample);
            }
        }
    }

    /// Shows what happens while cells are looked at request by request.
    fn show_timeline(&self, event: &timelines::Event<'_>) {
        match event {
            timelines::Event::Planned(cells) => self.bar.set_length(*cells as u64),
            timelines::Event::Starting(cell) => self.bar.set_message(format!("looks at {cell}")),
            timelines::Event::Taken(timeline) => {
                self.bar.inc(1);
                if let Some(why) = &timeline.void {
                    self.tell(&format!("timeline of {}: {why}", timeline.cell));
                }
            }
        }
    }

    /// Shows what happens while cells are taken apart.
    fn show_inspection(&self, event: &inspect::Event<'_>) {
        match event {
            inspect::Event::Planned(looks) => self.bar.set_length(*looks as u64),
            inspect::Event::Absent(why) => {
                self.tell(&format!("system calls are not counted: {why}"));
            }
            inspect::Event::Starting(cell) => self.bar.set_message(format!("inspects {cell}")),
            inspect::Event::Taken(inspection) => {
                self.bar.inc(1);
                if let Some(why) = &inspection.void {
                    self.tell(&format!("inspection of {}: {why}", inspection.cell));
                }
            }
        }
    }

    /// Shows what happens while servers are measured.
    fn show_serving(&self, event: &serving::Event<'_>) {
        match event {
            serving::Event::Starting(server) => {
                self.bar.set_message(format!("starts {}", server.id));
            }
            serving::Event::Measuring(cell) => self.bar.set_message(cell.to_string()),
            serving::Event::Skipped(_) => self.bar.inc(1),
            serving::Event::Taken(sample) => {
                self.bar.inc(u64::from(!sample.warmup));
                if let Some(void) = &sample.void {
                    self.tell(&format!("{}: {}", sample.cell, void.why));
                }
            }
        }
    }

    fn tell_void(&self, sample: &Sample) {
        if let Some(void) = &sample.void {
            self.tell(&format!("{}: {}", sample.cell, void.why));
        }
    }

    fn tell(&self, line: &str) {
        self.bar.suspend(|| tell_line(line));
    }
}

/// Measures servers, and shows how far it is.
///
/// # Errors
///
/// Those of [`serving::measure()`].
pub fn serve(bench: &mut serving::Bench<'_>) -> Result<Ending, serving::MeasureError> {
    let samples = bench.plan.running().count() as u64 * u64::from(bench.plan.rounds);
    let progress = Progress::new(samples);
    serving::measure(bench, &mut |event| progress.show_serving(&event))
}

/// One line for each limit that a lane does not fit into.
fn tell_refusals(plan: &Plan) {
    let mut told: Vec<(&str, &str)> = Vec::new();
    for planned in &plan.cells {
        if let Some(NotRun::Refused(why)) = &planned.not_run {
            let refusal = (planned.cell.lane.as_str(), why.as_str());
            if !told.contains(&refusal) {
                tell_line(&format!("{}: {why}", planned.cell));
                told.push(refusal);
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
