//! Shows patterns at work: `show [NAME] [LANE]`, all of them and in all lanes where none is named.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use patterns::lanes::{LANES, Lane};
use patterns::log::Log;
use patterns::scenes::{SCENES, Scene};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments_of(&arguments).and_then(|(scenes, lanes)| show(&scenes, &lanes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "show: {why}");
            ExitCode::from(2)
        }
    }
}

fn arguments_of(arguments: &[String]) -> Result<(Vec<Scene>, Vec<Lane>), String> {
    let (mut scenes, mut lanes) = (SCENES.to_vec(), LANES.to_vec());
    for argument in arguments {
        if SCENES.iter().any(|scene| scene.name == argument) {
            scenes.retain(|scene| scene.name == argument);
        } else if LANES.iter().any(|lane| lane.id == argument) {
            lanes.retain(|lane| lane.id == argument);
        } else {
            let names: Vec<_> = SCENES.iter().map(|scene| scene.name).collect();
            let ids: Vec<_> = LANES.iter().map(|lane| lane.id).collect();
            let (names, ids) = (names.join(", "), ids.join(", "));
            return Err(format!("no {argument:?}; say one of {names}, and one of {ids}"));
        }
    }
    if scenes.is_empty() || lanes.is_empty() {
        return Err("say one pattern and one lane at most, or none for all".to_owned());
    }
    Ok((scenes, lanes))
}

fn show(scenes: &[Scene], lanes: &[Lane]) -> Result<(), String> {
    for scene in scenes {
        say(&format!("\n{}: {}", scene.name, scene.shows));
        for lane in lanes {
            say(&format!("\n  {}", lane.id));
            let log = Arc::new(Log::new(|event| say(&format!("    {event}"))));
            (scene.play)(lane, &log).map_err(|error| format!("{}: {error}", lane.id))?;
        }
    }
    Ok(())
}

/// Who closed the pipe does not want to know.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
