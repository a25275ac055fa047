//! Servers that are programs of their own: which there are, and how each is started.
//!
//! ```text
//!   others/servers.toml ─► Servers ─► CommandLine, and `--listen` behind it ══► `listening on URL`
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::environments::{self, CommandLine, Environment};

const REGISTERED: &str = include_str!("others/servers.toml");

/// Every server that is a program of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Servers {
    /// What programs are run with, one a folder.
    #[serde(rename = "environment")]
    pub environments: Vec<Environment>,
    /// The servers, in the order of the tables.
    #[serde(rename = "server")]
    pub programs: Vec<ServerProgram>,
}

/// A server that is a program.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerProgram {
    /// `other/name`.
    pub id: String,
    /// Its environment's folder.
    folder: String,
    /// Started there, with `{home}` for where the environment is set up.
    command: Vec<String>,
    /// How a handler waits, in a few words.
    pub waits: String,
    /// What it stands for in the articles.
    pub mirrors: String,
    /// Its processes that serve.
    pub workers: u64,
    /// The threads of each that run handlers.
    #[serde(default = "one")]
    pub threads: u64,
    /// The most requests that it serves at once, where there is such a number: others wait.
    pub at_once: Option<u64>,
    /// Whether it serves files, and neither waits nor burns CPU.
    #[serde(rename = "static", default)]
    pub is_static: bool,
}

fn one() -> u64 {
    1
}

impl Servers {
    /// What is registered.
    ///
    /// # Panics
    ///
    /// If the file that is part of the program is not one of these; a test reads it.
    pub fn registered() -> Self {
        toml::from_str(REGISTERED).expect("it is part of the program")
    }

    /// Which of those `asked` for cannot be run here, and why: programs that are not set up.
    pub fn missing(&self, asked: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
        let own = self.programs.iter().filter(|program| asked(&program.id));
        let own: Vec<_> = own.map(|one| (one.folder.as_str(), one.id.as_str())).collect();
        environments::missing(&self.environments, &own)
    }

    /// What these servers are run with, and its versions.
    pub fn versions(&self, ids: &BTreeSet<&str>) -> BTreeMap<String, String> {
        let used = self.programs.iter().filter(|program| ids.contains(program.id.as_str()));
        let folders = used.map(|program| program.folder.as_str()).collect();
        environments::versions(&self.environments, &folders)
    }
}

impl ServerProgram {
    /// Whether it is run with this.
    pub fn is_of(&self, environment: &Environment) -> bool {
        self.folder == environment.folder
    }

    /// What starts it, once `--listen ADDRESS:PORT` is behind the other arguments.
    pub fn command(&self) -> CommandLine {
        CommandLine::registered(&self.folder, &self.command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Registry, is_name};

    #[test]
    fn what_is_registered_is_consistent() {
        let servers = Servers::registered();
        // A folder is set up once, and an id is a row's name whatever it is of.
        let lanes = Registry::with(&[]).unwrap();
        environments::assert_consistent(
            &[lanes.environments.clone(), servers.environments.clone()].concat(),
        );
        let mut ids: Vec<_> = lanes.programs.iter().map(|program| &program.id).collect();
        for server in &servers.programs {
            assert!(server.id.starts_with("other/") && is_name(&server.id), "{}", server.id);
            assert!(!ids.contains(&&server.id), "{} twice", server.id);
            ids.push(&server.id);
            assert!(servers.environments.iter().any(|one| server.is_of(one)), "{}", server.id);
            assert!(!server.command.is_empty() && !server.waits.is_empty(), "{}", server.id);
            let handlers = server.workers * server.threads;
            let at_once = server.at_once.unwrap_or(handlers);
            assert!(handlers > 0 && at_once >= handlers, "{}: {at_once}", server.id);
        }
    }

    #[test]
    fn what_is_not_told_is_as_in_most() {
        let servers = Servers::registered();
        let named = |id: &str| servers.programs.iter().find(|one| one.id == id).unwrap();
        let threads = named("other/gunicorn-gthread-100");
        assert_eq!((threads.workers, threads.threads, threads.at_once), (1, 100, Some(100)));
        let uvicorn = named("other/uvicorn-2");
        assert_eq!((uvicorn.workers, uvicorn.threads, uvicorn.at_once), (2, 1, None));
        assert!(named("other/nginx").is_static && !uvicorn.is_static);
    }

    #[test]
    fn only_what_is_asked_for_is_looked_at() {
        let servers = Servers::registered();
        assert!(servers.missing(|_| false).is_empty());
        assert!(servers.versions(&BTreeSet::new()).is_empty());
        let missing = servers.missing(|id| id == "other/nginx");
        assert!(missing.keys().all(|id| id == "other/nginx"), "{missing:?}");
    }
}
