//! On which machine a record was made, and what to mind about it.

use harness::environment::Environment;
use harness::record::{Ending, How};

/// The machine, the program and the origin, in one line.
pub(crate) fn machine(environment: &Environment) -> String {
    format!(
        "{}; origin {} on {} thread{}",
        machine_and_program(environment),
        environment.origin_server,
        environment.origin_threads,
        if environment.origin_threads == 1 { "" } else { "s" },
    )
}

/// The same where there is no origin.
pub(crate) fn machine_and_program(environment: &Environment) -> String {
    let Environment { cpu_model, processors, kernel, build, .. } = environment;
    let virtual_machine = if environment.virtual_machine { " (virtual)" } else { "" };
    let commit = build.commit.as_deref().unwrap_or("unknown");
    // As much of it as people quote.
    let commit = commit.get(..12).unwrap_or(commit);
    let modified = if build.modified == Some(true) { ", modified" } else { "" };
    format!(
        "{processors} × {cpu_model}{virtual_machine}; {kernel}; {}; commit {commit}{modified}",
        build.rustc,
    )
}

/// What a reader has to know before believing any number.
pub(crate) fn warnings(environment: &Environment, ending: Option<&Ending>) -> Vec<String> {
    let mut warnings = Vec::new();
    if !environment.build.optimised {
        warnings.push("built without optimisation: the numbers mean nothing".to_owned());
    }
    for feature in &environment.build.features {
        warnings.push(format!("built with {feature}: the times mean nothing"));
    }
    if environment.load_1m > environment.processors as f64 / 2.0 {
        let load = environment.load_1m;
        warnings.push(format!("the machine was busy before the run: load {load:.1}"));
    }
    match ending {
        None => warnings.push("the run did not end by itself; this is what it had".to_owned()),
        Some(ending) => {
            if ending.steal > 0.02 {
                let percent = ending.steal * 100.0;
                warnings.push(format!("the hypervisor took {percent:.0} % of the CPU time"));
            }
            warnings
                .extend(ending.origin_warnings.iter().map(|said| format!("the origin: {said}")));
            match &ending.how {
                How::Complete => {}
                How::OutOfTime => warnings.push(
                    "time was up before all was measured; --samples N takes as long as it needs"
                        .to_owned(),
                ),
                How::Interrupted => warnings.push("interrupted; this is what it had".to_owned()),
                How::Broken(why) => warnings.push(format!("{why}; this is what it had")),
            }
        }
    }
    warnings
}
