//! Pages that no stack may grow into.

use std::ffi::c_void;
use std::io;
use std::ptr;

/// Linux 6.13, `madvise(2)`; `libc` does not name it for glibc.
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// How the kernel keeps a page from being touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guards {
    /// A mark in the page table: no mapping, no memory.
    Marked,
    /// A mapping without permissions, which splits the one that it lies in.
    Mapped,
}

impl Guards {
    /// The best that this kernel can do, tried on a page.
    pub(super) fn best() -> io::Result<Self> {
        let bytes = rustix::param::page_size();
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, at an address that the kernel chooses.
        let page = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let marked = Guards::Marked.set(page as usize, bytes);
        // SAFETY: the mapping made above, of which nothing is left.
        unsafe { libc::munmap(page, bytes) };
        match marked {
            Ok(()) => Ok(Guards::Marked),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(Guards::Mapped),
            Err(error) => Err(error),
        }
    }

    /// Guards the page at `address`, which nobody has used and nobody will.
    pub(super) fn set(self, address: usize, bytes: usize) -> io::Result<()> {
        let page = address as *mut c_void;
        // SAFETY: the caller's own page, in which there is nothing.
        let failed = unsafe {
            match self {
                Guards::Marked => libc::madvise(page, bytes, MADV_GUARD_INSTALL),
                Guards::Mapped => libc::mprotect(page, bytes, libc::PROT_NONE),
            }
        };
        match (failed, self) {
            (0, _) => Ok(()),
            (_, Guards::Mapped)
                if io::Error::last_os_error().raw_os_error() == Some(libc::ENOMEM) =>
            {
                Err(io::Error::other(
                    "no mapping is left for a guard page: this kernel needs two a stack, and \
                     vm.max_map_count is the limit (Linux 6.13 needs none)",
                ))
            }
            _ => Err(io::Error::last_os_error()),
        }
    }
}
