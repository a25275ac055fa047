//! What a person sees meanwhile.

use harness::measure::{Event, MeasureError};
use harness::plan::NotRun;
use harness::{Bench, Ending, Plan, Sample};
use indicatif::{ProgressBar, ProgressStyle};

use crate::print::tell_line;

/// Measures, and shows how far it is.
///
/// # Errors
///
/// Those of [`harness::measure()`].
pub fn measure(bench: &mut Bench<'_>) -> Result<Ending, MeasureError> {
    let progress = Progress::over(bench.plan);
    harness::measure(bench, &mut |event| progress.show(&event))
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
        let template = "{bar:24} {pos}/{len} {elapsed} {wide_msg}";
        let style = ProgressStyle::with_template(template).expect("a constant template is right");
        let bar = ProgressBar::new(samples).with_style(style);
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

    fn tell_void(&self, sample: &Sample) {
        if let Some(void) = &sample.void {
            self.bar.suspend(|| tell_line(&format!("{}: {}", sample.cell, void.why)));
        }
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
