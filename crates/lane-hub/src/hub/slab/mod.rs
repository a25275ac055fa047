//! All stacks in one mapping.
//!
//! ```text
//!   one mapping of address space, reserved at the start; only pages that are touched cost memory
//!  ┌──────────────────────────────────────────────────────────────────────────────────────────┐
//!  │▒│        ◄── stack 0 │▒│        ◄── stack 1 │▒│        ◄── stack 2 │  not yet carved  …   │
//!  └──────────────────────────────────────────────────────────────────────────────────────────┘
//!   ▒ a guard page, MADV_GUARD_INSTALL: a mark in the page table, and no mapping of its own
//! ```
//!
//! The kernel counts mappings, `vm.max_map_count`, 65,530 by default. A guard page that is made
//! with `mprotect` splits the mapping in two, so that stacks end at half that number. Linux 6.13
//! can mark a page instead, which leaves the mapping whole, however many stacks it has. Where the
//! kernel cannot, guards are mappings, and the limit is told: to whoever plans a job, by
//! [`Slab::mappings`], and to whoever carves a stack too many, by its error.
//!
//! **When memory is returned.** The hub keeps some stacks of ended tasks as they are, because a
//! warm stack is a fast one; `stacks_kept` says how many. The others come back here, and return
//! their pages 64 at a time, so that neighbours share a system call. It is `MADV_DONTNEED` and not
//! `MADV_FREE`: the latter leaves pages in the process' resident set until the machine is short of
//! memory, where nobody could tell them from a leak. The address space stays reserved until the hub
//! has ended, and the last stack with it.

use std::cell::RefCell;
use std::ffi::c_void;
use std::io;
use std::ptr;
use std::rc::Rc;

use corosensei::stack::StackPointer;

use guard::Guards;

mod guard;
pub mod overflow;
mod registers;

/// Stacks that return their memory at once.
const RETURNED_AT_ONCE: usize = 64;

/// One mapping, from which stacks are carved.
pub struct Slab {
    start: usize,
    bytes: usize,
    page_bytes: usize,
    /// From one stack to the next: its guard page, and what it can use.
    stride_bytes: usize,
    guards: Guards,
    stacks: RefCell<Stacks>,
}

/// Which stacks are used.
struct Stacks {
    /// Where the next begins that never was.
    next: usize,
    /// Those that have been used and have their pages still, fewer than 64. As everywhere, a stack
    /// is named by the address of its guard page.
    warm: Vec<usize>,
    /// Those that have been used and have returned their pages. Guards stay.
    cold: Vec<usize>,
}

impl Slab {
    /// Reserves address space for `most` stacks of `stack_bytes`.
    ///
    /// # Errors
    ///
    /// There is not so much of it: `ulimit -v` or `vm.overcommit_memory=2` forbid it, or it is more
    /// than the processor can address.
    pub fn new(stack_bytes: usize, most: usize) -> io::Result<Rc<Self>> {
        Slab::guarded_by(Guards::best()?, stack_bytes, most)
    }

    fn guarded_by(guards: Guards, stack_bytes: usize, most: usize) -> io::Result<Rc<Self>> {
        overflow::catch();
        let page_bytes = rustix::param::page_size();
        let too_many = || io::Error::other(format!("{most} stacks are more than can be addressed"));
        let usable_bytes = stack_bytes.checked_next_multiple_of(page_bytes).ok_or_else(too_many)?;
        let stride_bytes = usable_bytes + page_bytes;
        let bytes = stride_bytes.checked_mul(most).ok_or_else(too_many)?;
        let start = reserve(bytes).map_err(|error| {
            io::Error::new(error.kind(), format!("no address space for {most} stacks: {error}"))
        })?;
        let stacks = RefCell::new(Stacks { next: start, warm: Vec::new(), cold: Vec::new() });
        Ok(Rc::new(Slab { start, bytes, page_bytes, stride_bytes, guards, stacks }))
    }

    /// Mappings of a slab with `most` stacks, which `vm.max_map_count` limits.
    ///
    /// # Errors
    ///
    /// There is no page to try a guard on.
    pub fn mappings(most: u64) -> io::Result<u64> {
        Ok(match Guards::best()? {
            Guards::Marked => 1,
            Guards::Mapped => most.saturating_mul(2),
        })
    }

    /// Takes a stack: one that was returned, or the next.
    ///
    /// # Errors
    ///
    /// All of them are taken, or the kernel sets no more guards.
    pub fn carve(self: &Rc<Self>) -> io::Result<Carved> {
        let mut stacks = self.stacks.borrow_mut();
        let limit = match stacks.warm.pop().or_else(|| stacks.cold.pop()) {
            Some(limit) => limit,
            None => {
                let limit = stacks.next;
                if limit == self.start + self.bytes {
                    let most = self.bytes / self.stride_bytes;
                    return Err(io::Error::other(format!(
                        "all {most} stacks of the slab are taken"
                    )));
                }
                self.guards.set(limit, self.page_bytes)?;
                stacks.next += self.stride_bytes;
                limit
            }
        };
        Ok(Carved { limit, slab: Rc::clone(self) })
    }

    fn take_back(&self, limit: usize) {
        let mut stacks = self.stacks.borrow_mut();
        stacks.warm.push(limit);
        if stacks.warm.len() == RETURNED_AT_ONCE {
            let mut warm = std::mem::take(&mut stacks.warm);
            warm.sort_unstable();
            for neighbours in warm.chunk_by(|below, above| above - below == self.stride_bytes) {
                self.return_pages(neighbours);
            }
            stacks.cold.append(&mut warm);
            stacks.warm = warm;
        }
    }

    /// Makes neighbouring stacks what they were before they were used.
    fn return_pages(&self, neighbours: &[usize]) {
        let start = (neighbours[0] + self.page_bytes) as *mut c_void;
        let bytes = neighbours.len() * self.stride_bytes - self.page_bytes;
        // Guards in between stay what they are. Should it fail, the memory is returned by the next
        // task that ends there.
        // SAFETY: these stacks have no task any more, so nobody reads what becomes zeroes.
        unsafe { libc::madvise(start, bytes, libc::MADV_DONTNEED) };
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: the mapping is this slab's own, and no stack is left in it: each holds the slab.
        unsafe { libc::munmap(self.start as *mut c_void, self.bytes) };
    }
}

/// Address space that holds nothing yet.
fn reserve(bytes: usize) -> io::Result<usize> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping, at an address that the kernel chooses.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // A huge page would give a stack, at its first touch, the memory of hundreds. Where the kernel
    // knows no huge pages this fails, and nothing is lost.
    // SAFETY: the whole of the mapping, whose contents this does not change.
    unsafe { libc::madvise(start, bytes, libc::MADV_NOHUGEPAGE) };
    Ok(start as usize)
}

/// A stack of a slab, to which it returns when dropped.
pub struct Carved {
    /// The lowest address, that of the guard page.
    limit: usize,
    slab: Rc<Slab>,
}

impl Carved {
    /// The address of its guard page.
    pub fn guard(&self) -> usize {
        self.limit
    }
}

// SAFETY: the range is this stack's alone until it is dropped, it begins with a guard page, and
// what is above that is a page at least.
unsafe impl corosensei::stack::Stack for Carved {
    fn base(&self) -> StackPointer {
        StackPointer::new(self.limit + self.slab.stride_bytes).expect("no mapping ends at 0")
    }

    fn limit(&self) -> StackPointer {
        StackPointer::new(self.limit).expect("no mapping begins at 0")
    }
}

impl Drop for Carved {
    fn drop(&mut self) {
        self.slab.take_back(self.limit);
    }
}

#[cfg(test)]
mod tests;
