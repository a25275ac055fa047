//! Peak memory against the peak of a control group that nothing but the lane process is in.
//!
//! The two count different things. `VmHWM` has every page that the process has mapped, those of
//! its executable, too. The group has what the process was the first to touch, in the kernel as
//! well: page tables, stacks and buffers, but not an executable that is in the page cache already.
//! What both must have is the memory that a lane holds. So the lane that holds 256 MiB is compared
//! with the floor, and the two differences with one another.

use std::process::Command;

use harness::child::FLOOR;
use harness::number::grouped;
use libtest_mimic::Trial;

use crate::groups::{Group, Place, place};
use crate::known_lanes::{HELD_BYTES, MEMORY};
use crate::setting;
use crate::tools::{tell, trial_with};

/// 1.6 % of what is held, and less than the 2.4 % that KiB taken for kB would make. Page tables for
/// 256 MiB take 512 KiB; the kernel charges a group in batches of up to 256 KiB a processor; and it
/// adds pages to a process' account in batches, too.
const BYTES_APART_MOST: u64 = 4 << 20;

pub fn trials() -> Vec<Trial> {
    vec![trial_with("peak_memory_is_what_a_control_group_sees", place, memory)]
}

fn memory(place: Place) {
    // Once outside, so that the executable is in the page cache before anybody counts.
    setting::lane(FLOOR.id, &setting::no_job());
    let (floor, floor_of_group) = peaks(&place, FLOOR.id);
    let (held, held_of_group) = peaks(&place, MEMORY);
    let (ours, theirs) = (held.saturating_sub(floor), held_of_group.saturating_sub(floor_of_group));
    let (kib, kib_theirs) = (grouped(ours / 1024), grouped(theirs / 1024));
    tell(&format!(
        "{MEMORY} above the floor: VmHWM {kib} KiB, its control group has {kib_theirs} KiB"
    ));
    assert!(ours.abs_diff(theirs) <= BYTES_APART_MOST, "{ours}, the group has {theirs}");
    assert!(ours.abs_diff(HELD_BYTES) <= BYTES_APART_MOST, "{ours}");
}

/// `VmHWM` of the lane process, and the peak of its group.
fn peaks(place: &Place, lane: &str) -> (u64, u64) {
    let group = Group::create(place).unwrap();
    // A shell that enters the group, and then is the lane: `exec` leaves nothing of the shell.
    let mut through = Command::new("sh");
    through.args(["-ec", r#"echo 0 > "$0"; exec "$@""#]).arg(group.entrance());
    let ours = setting::lane_through(through, lane, &setting::no_job());
    (ours.rss_bytes_peak(), group.peak_bytes().unwrap())
}
