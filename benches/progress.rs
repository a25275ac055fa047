//! What a person sees meanwhile.

use harness::inspect;
use harness::measure::{Event, MeasureError};
use harness::origin_process::OriginError;
use harness::plan::NotRun;
use harness::record::How;
use harness::{Bench, Ending, Plan, Sample};
use indicatif::{ProgressBar, ProgressStyle};

use crate::print::tell_line;

/// Measures, then takes the cells apart if that was asked for, and shows how far it is.
///
/// # Errors
///
/// Those of [`harness::measure()`].
pub fn measure(bench: &mut Bench<'_>) -> Result<Ending, MeasureError> {
    let ending = {
        let progress = Progress::over(bench.plan);
        harness::measure(bench, &mut |event| progress.show(&event))?
    };
    let goes_on = matches!(ending.how, How::Complete | How::OutOfTime);
    Ok(if bench.inspect && goes_on { take_apart(bench, ending) } else { ending })
}

/// What was timed is in the record with its end, so whatever happens here is only told.
fn take_apart(bench: &mut Bench<'_>, ending: Ending) -> Ending {
    let progress = Progress::new(0);
    let inspected = harness::inspect(bench, &mut |event| progress.show_inspection(&event));
    drop(progress);
    match inspected {
        Ok(true) => ending,
        Ok(false) | Err(MeasureError::Origin(OriginError::Interrupted)) => {
            Ending { how: How::Interrupted, ..ending }
        }
        Err(error) => {
            tell_line(&format!("not all cells were taken apart: {error}"));
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

    fn tell_void(&self, sample: &Sample) {
        if let Some(void) = &sample.void {
            self.tell(&format!("{}: {}", sample.cell, void.why));
        }
    }

    fn tell(&self, line: &str) {
        self.bar.suspend(|| tell_line(line));
    }
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
