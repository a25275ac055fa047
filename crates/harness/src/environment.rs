//! The machine and the programs that a record was made with.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;

const CONGESTION_CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

/// What a reader has to know of a machine before believing a number from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// When the run started, UTC.
    pub started: String,
    /// The command line, without the program.
    pub arguments: Vec<String>,
    /// As the kernel names it.
    pub cpu_model: String,
    /// Processors that this process may use.
    pub processors: usize,
    /// Whether the processors are those of a virtual machine.
    pub virtual_machine: bool,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// The kernel's name and release.
    pub kernel: String,
    /// Limits of every process of the run.
    pub limits: Limits,
    /// How TCP paces itself (`net.ipv4.tcp_congestion_control`).
    pub tcp_congestion_control: String,
    /// Load average over the last minute, before the run.
    pub load_1m: f64,
    /// The program.
    pub build: Build,
    /// The HTTP server that was asked for.
    pub origin_server: String,
    /// Threads of the origin.
    pub origin_threads: usize,
}

/// What the program was built from and with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// As `rustc --version` says.
    pub rustc: String,
    /// The commit, where there was a repository.
    pub commit: Option<String>,
    /// Whether files differed from the commit.
    pub modified: Option<bool>,
    /// Whether the compiler optimised; numbers without mean nothing.
    pub optimised: bool,
    /// Features of the command that change what is measured.
    #[serde(default)]
    pub features: Vec<String>,
    /// What programs of other languages are run with, by folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, String>,
    /// Every crate in the lock file that comes from elsewhere, with its versions.
    pub crates: BTreeMap<String, Vec<String>>,
}

impl Environment {
    /// Looks at the machine.
    pub fn observe(
        build: Build,
        limits: Limits,
        origin_server: &str,
        origin_threads: usize,
    ) -> Self {
        let uname = rustix::system::uname();
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Environment {
            started: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
            arguments: std::env::args().skip(1).collect(),
            cpu_model: cpu_model(&cpus).unwrap_or_else(|| text(uname.machine())),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            virtual_machine: cpus
                .lines()
                .any(|l| l.starts_with("flags") && l.contains("hypervisor")),
            memory_bytes: memory_bytes().unwrap_or(0),
            kernel: format!("{} {}", text(uname.sysname()), text(uname.release())),
            limits,
            tcp_congestion_control: fs::read_to_string(CONGESTION_CONTROL)
                .map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned()),
            load_1m: load_1m(),
            build,
            origin_server: origin_server.to_owned(),
            origin_threads,
        }
    }
}

/// The versions of every crate that comes from elsewhere, out of a `Cargo.lock`.
///
/// # Errors
///
/// The text is not a lock file.
pub fn locked_crates(lock: &str) -> Result<BTreeMap<String, Vec<String>>, toml::de::Error> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
        source: Option<String>,
    }
    let mut crates: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for package in toml::from_str::<Lock>(lock)?.package {
        if package.source.is_some() {
            crates.entry(package.name).or_default().push(package.version);
        }
    }
    Ok(crates)
}

/// Load average over the last minute.
pub fn load_1m() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_from_elsewhere_are_listed_with_all_versions() {
        let lock = r#"
            version = 4
            [[package]]
            name = "job"
            version = "0.1.0"
            [[package]]
            name = "libc"
            version = "0.2.1"
            source = "registry+https://example.org"
            [[package]]
            name = "libc"
            version = "1.0.0"
            source = "registry+https://example.org"
        "#;
        let crates = locked_crates(lock).unwrap();
        assert_eq!(
            crates.into_iter().collect::<Vec<_>>(),
            [("libc".to_owned(), vec!["0.2.1".to_owned(), "1.0.0".to_owned()])]
        );
    }

    #[test]
    fn a_model_is_named_where_the_kernel_does() {
        assert_eq!(cpu_model("a: b\nmodel name\t: A CPU\n").as_deref(), Some("A CPU"));
        assert_eq!(cpu_model("Features: x"), None);
    }
}
