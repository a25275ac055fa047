//! `getaddrinfo`: the one call here that libc does with more than a system call.

use std::ffi::{CStr, CString, c_char, c_int};
use std::mem::transmute;
use std::sync::OnceLock;

use lane_hub::hub;
use libc::addrinfo;

use crate::waits::{in_green, parked};

type GetAddrInfo = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    *const addrinfo,
    *mut *mut addrinfo,
) -> c_int;

/// `getaddrinfo(3)`: the C library's own, on an OS thread beside the hub. It waits by calls inside
/// the C library, which no definition out here answers.
#[unsafe(no_mangle)]
unsafe extern "C" fn getaddrinfo(
    host: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    found: *mut *mut addrinfo,
) -> c_int {
    let Some(original) = original() else { return libc::EAI_SYSTEM };
    if !in_green() {
        // SAFETY: the caller's promise.
        return unsafe { original(host, service, hints, found) };
    }
    // SAFETY: the caller's promise. All is copied: if the hub ends, this frame is gone before the
    // look-up is.
    let (host, service, hints) = unsafe { (copied(host), copied(service), Hints::of(hints)) };
    let looked_up = parked(|| {
        hub::offload(move || {
            let pointer = |text: &Option<CString>| {
                text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
            };
            let mut list = Addresses(std::ptr::null_mut());
            let hints = hints.pointer();
            // SAFETY: strings, hints and room for the result, all of them this closure's.
            let code =
                unsafe { original(pointer(&host), pointer(&service), hints, &raw mut list.0) };
            (code, list)
        })
    });
    match looked_up {
        Ok(Ok((code, mut list))) => {
            // SAFETY: the caller's promise. The list is the caller's to free from here on.
            unsafe { *found = std::mem::replace(&mut list.0, std::ptr::null_mut()) };
            code
        }
        // No thread left, or the hub ends.
        Ok(Err(_)) | Err(_) => libc::EAI_AGAIN,
    }
}

/// The definition that this one stands before.
fn original() -> Option<GetAddrInfo> {
    static ORIGINAL: OnceLock<Option<GetAddrInfo>> = OnceLock::new();
    *ORIGINAL.get_or_init(|| {
        // SAFETY: the name of a function of that signature, or of nothing.
        unsafe {
            let next = libc::dlsym(libc::RTLD_NEXT, c"getaddrinfo".as_ptr());
            (!next.is_null()).then(|| transmute::<*mut libc::c_void, GetAddrInfo>(next))
        }
    })
}

unsafe fn copied(text: *const c_char) -> Option<CString> {
    // SAFETY: the caller's promise: null, or a string.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_owned())
}

/// The four numbers of hints; their pointers must be null, says `getaddrinfo(3)`.
struct Hints(Option<addrinfo>);

// SAFETY: `of` leaves no pointer in it.
unsafe impl Send for Hints {}

impl Hints {
    unsafe fn of(hints: *const addrinfo) -> Self {
        // SAFETY: the caller's promise: null, or an addrinfo. Zeroes are one, too.
        Hints(unsafe { hints.as_ref() }.map(|hints| addrinfo {
            ai_flags: hints.ai_flags,
            ai_family: hints.ai_family,
            ai_socktype: hints.ai_socktype,
            ai_protocol: hints.ai_protocol,
            // SAFETY: as above.
            ..unsafe { std::mem::zeroed() }
        }))
    }

    fn pointer(&self) -> *const addrinfo {
        self.0.as_ref().map_or(std::ptr::null(), std::ptr::from_ref)
    }
}

/// What was found, freed if nobody takes it.
struct Addresses(*mut addrinfo);

// SAFETY: the list is on the heap and has one owner.
unsafe impl Send for Addresses {}

impl Drop for Addresses {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: what getaddrinfo made, and nobody else's.
            unsafe { libc::freeaddrinfo(self.0) };
        }
    }
}
