//! What is done with servers, as data: the types behind `scenes.toml`.

use job::Process;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A file of handlers and scenes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What servers are asked to do.
    #[serde(rename = "handler")]
    pub handlers: Vec<Handler>,
    /// Who asks, and when.
    #[serde(rename = "scene")]
    pub scenes: Vec<Scene>,
}

/// What a server does for one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handler {
    /// Its name in tables.
    pub name: String,
    /// What it does, in a few words.
    pub says: String,
    /// How long it waits, microseconds.
    #[serde(default)]
    pub wait_us: u64,
    /// How much CPU time it burns, microseconds.
    #[serde(default)]
    pub burn_us: u64,
    /// How long it blocks the thread that runs it, microseconds.
    #[serde(default)]
    pub block_us: u64,
}

/// One experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Its name on the command line and above its table.
    pub name: String,
    /// The paragraph that says what the numbers are to show.
    pub shows: String,
    /// Who asks.
    pub load: Kind,
    /// What servers are asked to do: names of handlers.
    pub handlers: Vec<String>,
    /// How many clients ask, or how many connections there are.
    pub clients: Vec<u64>,
    /// How long it takes, milliseconds, where that is not how long the answers take.
    #[serde(default)]
    pub for_ms: u64,
    /// Open loop: the rates, as parts of the server's ceiling, percent. 100 is the ceiling itself, by a
    /// closed loop.
    #[serde(default)]
    pub percent: Vec<u32>,
    /// Open loop: the rate where it is no part of a ceiling.
    pub rate: Option<u64>,
    /// Open loop: how arrivals are spread.
    #[serde(default = "poisson")]
    pub arrivals: Process,
    /// Numbers of slow clients beside the others.
    #[serde(default = "none")]
    pub slow: Vec<u64>,
    /// Open loop: the handler of one request more, which keeps the server from its others.
    pub blocker: Option<String>,
    /// Numbers of clients at which each request is drawn.
    #[serde(default)]
    pub picture: Vec<u64>,
    /// What a server has to be able to serve at once, where the scene means nothing with less.
    #[serde(default)]
    pub at_once_least: u64,
    /// What `--quick` changes.
    #[serde(default)]
    pub quick: Changes,
}

/// What `--quick` changes in a scene.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// In place of the scene's `handlers`.
    pub handlers: Option<Vec<String>>,
    /// In place of the scene's `clients`.
    pub clients: Option<Vec<u64>>,
    /// In place of the scene's `percent`.
    pub percent: Option<Vec<u32>>,
    /// In place of the scene's `for_ms`.
    pub for_ms: Option<u64>,
}

/// Who asks, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// All clients at the same moment, each once.
    AtOnce,
    /// Each client again when its last answer has come.
    Closed,
    /// At a rate, whatever comes.
    Open,
    /// Nobody: connections that had an answer stay.
    Idle,
    /// Connections that wait for their answer.
    Waiting,
}

/// Why a file of scenes is none.
#[derive(Debug, Error)]
#[error("{file}:{line}: {why}")]
pub struct ScriptError {
    file: String,
    line: usize,
    why: String,
}

impl Handler {
    /// The path that asks for it, with `{id}` for the document's.
    pub fn path(&self) -> String {
        let Handler { wait_us, burn_us, block_us, .. } = self;
        let keys = [("delay_us", wait_us), ("block_us", block_us), ("burn_us", burn_us)];
        let asked = keys.iter().filter(|(_, us)| **us > 0);
        let query: Vec<_> = asked.map(|(key, us)| format!("{key}={us}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/api/v2/pokemon/{{id}}{mark}{}", query.join("&"))
    }
}

impl Kind {
    /// Whether memory is what it is about, so that a server begins it afresh.
    pub fn holds(self) -> bool {
        matches!(self, Kind::Idle | Kind::Waiting)
    }
}

impl Script {
    /// Reads the text of `file`, which is only named in errors.
    ///
    /// # Errors
    ///
    /// Not TOML, a key that is not ours, a scene that contradicts itself.
    pub fn read(file: &str, text: &str) -> Result<Self, ScriptError> {
        let line = |start: usize| text[..start.min(text.len())].matches('\n').count() + 1;
        let error = |line, why: String| ScriptError { file: file.to_owned(), line, why };
        let script: Script = toml::from_str(text).map_err(|told| {
            let start = told.span().map_or(0, |span| span.start);
            error(line(start), told.message().replace('\n', " "))
        })?;
        for scene in &script.scenes {
            if let Some(why) = script.contradiction(scene) {
                let name = format!("name = \"{}\"", scene.name);
                let start = text.find(&name).unwrap_or(0);
                return Err(error(line(start), format!("scene `{}`: {why}", scene.name)));
            }
        }
        Ok(script)
    }

    /// The handler of this name.
    ///
    /// # Panics
    ///
    /// If the script has none, of which none is ever made.
    pub fn handler(&self, name: &str) -> &Handler {
        self.find(name).expect("a script that was read has all handlers that it names")
    }

    fn find(&self, name: &str) -> Option<&Handler> {
        self.handlers.iter().find(|handler| handler.name == name)
    }

    /// The scene of this name.
    ///
    /// # Panics
    ///
    /// If the script has none, of which no cell is ever made.
    pub fn scene(&self, name: &str) -> &Scene {
        let scene = self.scenes.iter().find(|scene| scene.name == name);
        scene.expect("every cell is of a scene of its script")
    }

    /// With what `--quick` changes.
    pub fn quick(mut self) -> Self {
        for scene in &mut self.scenes {
            let Changes { handlers, clients, percent, for_ms } = std::mem::take(&mut scene.quick);
            scene.handlers = handlers.unwrap_or(std::mem::take(&mut scene.handlers));
            scene.clients = clients.unwrap_or(std::mem::take(&mut scene.clients));
            scene.percent = percent.unwrap_or(std::mem::take(&mut scene.percent));
            scene.for_ms = for_ms.unwrap_or(scene.for_ms);
        }
        self
    }

    /// The scenes of these names, or all for no name.
    ///
    /// # Errors
    ///
    /// A name that there is not, with those that there are.
    pub fn with_scenes(mut self, names: &[String]) -> Result<Self, String> {
        let known: Vec<_> = self.scenes.iter().map(|scene| scene.name.clone()).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            return Err(format!("no scene is named `{name}`; there are: {}", known.join(", ")));
        }
        self.scenes.retain(|scene| names.is_empty() || names.contains(&scene.name));
        Ok(self)
    }

    fn contradiction(&self, scene: &Scene) -> Option<String> {
        let named = scene.handlers.iter().chain(&scene.blocker);
        let changed = scene.quick.handlers.iter().flatten();
        let unknown = named.chain(changed).find(|name| self.find(name).is_none());
        let is_timed = matches!(scene.load, Kind::Closed | Kind::Open);
        let twice = self.scenes.iter().filter(|other| other.name == scene.name).count() > 1;
        match () {
            () if twice => Some("the name is taken".into()),
            () if unknown.is_some() => unknown.map(|name| format!("no handler is named `{name}`")),
            () if scene.handlers.is_empty() => Some("`handlers` is empty".into()),
            () if scene.clients.is_empty() || scene.clients.contains(&0) => {
                Some("`clients` are numbers above 0".into())
            }
            () if is_timed && scene.for_ms == 0 => Some("`for_ms` says how long it takes".into()),
            () if scene.load == Kind::Open && scene.rate.is_some() != scene.percent.is_empty() => {
                Some("an open loop has either a `rate` or `percent` of a ceiling".into())
            }
            () if [&scene.percent, scene.quick.percent.as_ref().unwrap_or(&scene.percent)]
                .iter()
                .any(|percents| !percents.is_empty() && !percents.contains(&100)) =>
            {
                Some("`percent` needs 100, the ceiling that the others are parts of".into())
            }
            () if scene.load != Kind::Open && (scene.rate.is_some() || scene.blocker.is_some()) => {
                Some("`rate` and `blocker` are for an open loop".into())
            }
            () if scene.load != Kind::Open && !scene.percent.is_empty() => {
                Some("`percent` is for an open loop".into())
            }
            () if scene.load != Kind::AtOnce && !scene.picture.is_empty() => {
                Some("`picture` is for clients at once".into())
            }
            () if scene.load.holds() && scene.clients.len() < 3 => {
                Some("a slope needs three numbers of `clients`".into())
            }
            () => None,
        }
    }
}

fn poisson() -> Process {
    Process::Poisson
}

fn none() -> Vec<u64> {
    vec![0]
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const SCRIPT: &str = r#"
[[handler]]
name = "nothing"
says = "answers"

[[handler]]
name = "waits"
says = "waits 100 ms"
wait_us = 100_000

[[handler]]
name = "burns"
says = "burns 10 ms"
burn_us = 10_000
block_us = 5

[[scene]]
name = "at-once"
shows = "Who waits."
load = "at-once"
handlers = ["waits", "burns"]
clients = [1, 1_000]
picture = [1]
quick = { clients = [5] }

[[scene]]
name = "rising"
shows = "The knee."
load = "open"
handlers = ["nothing"]
clients = [64]
percent = [10, 100]
for_ms = 500

[[scene]]
name = "idle"
shows = "A slope."
load = "idle"
handlers = ["nothing"]
clients = [10, 20, 30]
at_once_least = 30
"#;

    pub(crate) fn script() -> Script {
        Script::read("s.toml", SCRIPT).unwrap()
    }

    fn refused(from: &str, to: &str) -> String {
        Script::read("s.toml", &SCRIPT.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn a_handler_is_asked_for_by_its_path() {
        let path = |name: &str| script().handler(name).path();
        assert_eq!(path("nothing"), "/api/v2/pokemon/{id}");
        assert_eq!(path("waits"), "/api/v2/pokemon/{id}?delay_us=100000");
        assert_eq!(path("burns"), "/api/v2/pokemon/{id}?block_us=5&burn_us=10000");
    }

    #[test]
    fn quick_changes_what_it_names() {
        let quick = script().quick();
        let scene = quick.scene("at-once");
        assert_eq!((scene.clients.as_slice(), scene.handlers.len()), ([5].as_slice(), 2));
        assert_eq!(quick.scene("idle").clients, [10, 20, 30]);
    }

    #[test]
    fn scenes_are_chosen_by_their_names() {
        let chosen = script().with_scenes(&["idle".to_owned()]).unwrap();
        assert_eq!(chosen.scenes.len(), 1);
        let why = script().with_scenes(&["idel".to_owned()]).unwrap_err();
        assert_eq!(why, "no scene is named `idel`; there are: at-once, rising, idle");
        assert_eq!(script().with_scenes(&[]).unwrap(), script());
    }

    #[test]
    fn what_contradicts_itself_is_told_with_its_line() {
        for (from, to, line, why) in [
            ("[\"waits\", \"burns\"]", "[\"wait\"]", 18, "no handler is named `wait`"),
            ("[1, 1_000]", "[0]", 18, "`clients` are numbers above 0"),
            ("name = \"idle\"", "name = \"rising\"", 27, "the name is taken"),
            ("percent = [10, 100]", "rate = 5\npercent = [10]", 27, "either a `rate` or `percent`"),
            ("[10, 100]", "[10, 50]", 27, "`percent` needs 100"),
            ("for_ms = 500", "", 27, "`for_ms` says how long it takes"),
            ("[10, 20, 30]", "[10, 20]", 36, "a slope needs three numbers"),
            ("[64]", "[64]\npicture = [64]", 27, "`picture` is for clients at once"),
            ("picture = [1]", "rate = 3", 18, "`rate` and `blocker` are for an open loop"),
            ("says = \"answers\"", "say = \"answers\"", 4, "unknown field `say`"),
        ] {
            let told = refused(from, to);
            assert!(told.starts_with(&format!("s.toml:{line}: ")), "{to}: {told}");
            assert!(told.contains(why), "{to}: {told}");
        }
    }
}
