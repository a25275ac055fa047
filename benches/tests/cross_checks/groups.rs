//! Where memory is counted by control group, and a fresh group there.
//!
//! Control groups of version 1 have a hierarchy for memory alone: a child of this process' group
//! counts. In version 2 a group counts if its parent says so in `cgroup.subtree_control`, which a
//! group with processes in it mostly does not; so the parent is the nearest above them that does
//! (cgroups(7), "no internal processes"). Nothing but the fresh group is written to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use libtest_mimic::Trial;

use crate::support::{Scratch, trial};
use crate::tools::Missing;

/// A group whose children count memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    parent: PathBuf,
    peak: &'static str,
}

/// A group of its own for one process, gone at its end.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
    peak: &'static str,
}

/// Where this process can make a group.
pub fn place() -> Result<Place, Missing> {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let found = find(&text("/proc/self/cgroup"), &text("/proc/self/mountinfo"));
    let place = found.ok_or_else(|| {
        let needs = "a hierarchy of version 1, or of version 2 with memory in subtree_control";
        Missing(format!("no control group counts memory here: needs {needs}"))
    })?;
    let tried = Group::create(&place).and_then(|group| group.peak_bytes());
    match tried {
        Ok(_) => Ok(place),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Missing("control groups do not tell their peak: needs Linux 5.19".to_owned()))
        }
        Err(error) => {
            let parent = place.parent.display();
            Err(Missing(format!("no control group can be made in {parent} ({error}): needs root")))
        }
    }
}

impl Group {
    pub fn create(place: &Place) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = place.parent.join(format!("compare-{}-{number}", process::id()));
        fs::create_dir(&folder)?;
        Ok(Group { folder, peak: place.peak })
    }

    /// Who writes 0 here is in the group.
    pub fn entrance(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }

    /// The most that was counted at once.
    pub fn peak_bytes(&self) -> io::Result<u64> {
        let text = fs::read_to_string(self.folder.join(self.peak))?;
        text.trim().parse().map_err(io::Error::other)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Whoever was in it has been reaped.
        if let Err(error) = fs::remove_dir(&self.folder) {
            eprintln!("{} is left: {error}", self.folder.display());
        }
    }
}

/// The place that `/proc/self/cgroup` and `/proc/self/mountinfo` lead to.
fn find(groups: &str, mounts: &str) -> Option<Place> {
    let mounts = || mounts.lines().filter_map(Mount::parse);
    let memory = |mount: &Mount<'_>| mount.kind == "cgroup" && mount.has_option("memory");
    if let Some(mount) = mounts().find(memory) {
        let parent = mount.folder_of(own_group(groups, "memory")?)?;
        return Some(Place { parent, peak: "memory.max_usage_in_bytes" });
    }
    let mount = mounts().find(|mount| mount.kind == "cgroup2")?;
    let own = mount.folder_of(own_group(groups, "")?)?;
    let here = own.ancestors().take_while(|folder| folder.starts_with(mount.point));
    let parent = here.map(Path::to_owned).find(|folder| counts_memory_of_children(folder))?;
    Some(Place { parent, peak: "memory.peak" })
}

/// The path of this process' group among those of `controller`; version 2 has none in its line.
fn own_group<'a>(groups: &'a str, controller: &str) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers.split(',').any(|found| found == controller).then_some(path)
    })
}

fn counts_memory_of_children(folder: &Path) -> bool {
    let controllers = fs::read_to_string(folder.join("cgroup.subtree_control"));
    controllers.is_ok_and(|text| text.split_whitespace().any(|name| name == "memory"))
}

/// A line of `/proc/self/mountinfo`.
#[derive(Debug)]
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let (kind, options) = (right.next()?, right.nth(1)?);
        Some(Mount { root, point, kind, options })
    }

    fn has_option(&self, option: &str) -> bool {
        self.options.split(',').any(|found| found == option)
    }

    /// Where a group is found: in a container only a part of the hierarchy may be mounted.
    fn folder_of(&self, group: &str) -> Option<PathBuf> {
        let inside = Path::new(group).strip_prefix(self.root).ok()?;
        // A group outside of this process' namespace starts with "/..".
        let outside = inside.starts_with("..");
        (!outside).then(|| Path::new(self.point).join(inside))
    }
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_group_of_version_1_is_a_child_of_our_own", version_1),
        trial("a_group_of_version_2_is_where_memory_is_counted", version_2),
        trial("where_no_group_counts_memory_none_is_found", nowhere),
    ]
}

fn version_1() {
    let groups = "4:cpu,memory:/box/a\n0::/unified\n";
    let mount = |root: &str| {
        format!(
            "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
             35 31 0:32 {root} /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
        )
    };
    let place = |parent: &str| Place { parent: parent.into(), peak: "memory.max_usage_in_bytes" };
    assert_eq!(find(groups, &mount("/")), Some(place("/sys/fs/cgroup/memory/box/a")));
    assert_eq!(find(groups, &mount("/box")), Some(place("/sys/fs/cgroup/memory/a")));
    assert_eq!(find(groups, &mount("/elsewhere")), None);
}

fn version_2() {
    let scratch = Scratch::new();
    let point = &scratch.0;
    fs::create_dir_all(point.join("slice/unit")).unwrap();
    let allow = |folder: &str, controllers: &str| {
        fs::write(point.join(folder).join("cgroup.subtree_control"), controllers).unwrap();
    };
    let mounts = format!("30 23 0:26 / {} rw - cgroup2 cgroup2 rw\n", point.display());
    let found = || find("0::/slice/unit\n", &mounts);
    let place = |folder: &str| Some(Place { parent: point.join(folder), peak: "memory.peak" });

    allow("slice/unit", "");
    allow("slice", "cpu pids\n");
    allow("", "cpu\n");
    assert_eq!(found(), None);
    allow("", "cpu memory\n");
    assert_eq!(found(), place(""));
    allow("slice", "cpu memory pids\n");
    assert_eq!(found(), place("slice"));
    allow("slice/unit", "memory\n");
    assert_eq!(found(), place("slice/unit"));
}

fn nowhere() {
    assert_eq!(find("", ""), None);
    let mount = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    assert_eq!(find("0::/../other\n", mount), None);
    assert_eq!(find("4:cpu:/\n", "35 31 0:32 / /c rw - cgroup cgroup rw,cpu\n"), None);
}
