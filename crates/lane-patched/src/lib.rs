//! Unmodified blocking code on green threads: what gevent's `monkey.patch_all()` does to Python, to
//! the letter, done to a Rust executable.
//!
//! gevent replaces the socket module under the program's feet. Here the executable itself defines
//! the functions of the C library that wait: `recv`, `send`, `connect`, `poll`, `clock_nanosleep`
//! and a dozen more. The linker takes the first definition that it finds, so `std`, and every crate
//! on top of it, calls these, in debug builds and under thin and fat LTO alike. There is no
//! `LD_PRELOAD`, no fork of a library and no feature flag: **whatever links this crate is patched**,
//! and a library must never do so.
//!
//! ```text
//!   ureq::get(url).call()                         a crate that has never heard of green threads
//!     std::net::TcpStream::read
//!       recv(7, …)  ── the linker ──►  this crate's recv
//!                                        │
//!              a green thread? ── no ────┼──► system call: the OS thread blocks, as ever
//!                                        │ yes
//!                 recvfrom(7, …, MSG_DONTWAIT)
//!                    │          │ EAGAIN
//!                    │          ├── O_NONBLOCK is the program's own ──► EAGAIN
//!                    │          ▼
//!                    │   SO_RCVTIMEO ──► deadline
//!                    │   epoll_ctl(7, IN, ONESHOT), suspend ══► hub: other tasks run
//!                    │          ▲                                  │
//!                    │          └── try again ◄════════════════════╡ epoll: 7 is readable
//!                    ▼                                             │
//!                  bytes        EAGAIN, as the kernel says it ◄════╛ the deadline has passed
//! ```
//!
//! [`run`] starts a hub and patches its OS thread for as long as it runs; green threads are started
//! with [`hub::spawn`]. On any other thread the calls go straight to the kernel.
//!
//! ```
//! use std::time::Duration;
//! use lane_hub::hub::{self, Config};
//!
//! lane_patched::run(Config::default(), || {
//!     let nap = || std::thread::sleep(Duration::from_millis(20));
//!     let tasks: Vec<_> = (0..100).map(|_| hub::spawn(nap).unwrap()).collect();
//!     // 20 ms, not two seconds.
//!     tasks.into_iter().for_each(|task| task.join().unwrap());
//! })?
//! .unwrap();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The program `patched` of this package runs one plain blocking crate,
//! [`plain_blocking`](../plain_blocking/index.html), both ways. Its fetching code is not only the
//! same source: it is in the executable once.
//!
//! ```sh
//! cargo run --release -p lane-patched -- threads http://localhost:8080/ 1000 100
//! cargo run --release -p lane-patched -- green   http://localhost:8080/ 1000 100
//! cargo run --release -p lane-patched -- green --watch 10ms http://localhost:8080/ 1000 100
//! cargo test -p lane-patched --test program      # prints the system calls of both, with strace
//! ```
//!
//! Its tests run other unmodified clients on it, too: minreq, and the blocking half of `redis`, a hundred
//! of whose pops wait in a real server for a push of another green thread.
//!
//! # What parks
//!
//! | call | while it waits |
//! |---|---|
//! | `recv` `recvfrom` `recvmsg` `send` `sendto` `sendmsg`, and `read` `readv` `write` `writev` of a socket | `MSG_DONTWAIT`, then epoll. The socket stays blocking, for whoever shares it |
//! | `read` `readv` `write` `writev` of a pipe, a terminal, an eventfd | polled first, written in pieces that surely fit |
//! | `connect` | non-blocking for one system call, then epoll |
//! | `accept` `accept4`, `poll` of any number | polled first, then epoll |
//! | `nanosleep` `clock_nanosleep` | the hub's timers |
//! | `getaddrinfo`; `connect` to a local socket whose queue is full | an OS thread beside the hub |
//! | `close` | does not, but tells who waits for the descriptor: `EBADF` |
//!
//! `set_read_timeout` and `set_nonblocking` mean what they mean without the patch, because the kernel
//! is asked for both at every wait. That is three system calls a wait (`fcntl`, `getsockopt`,
//! `epoll_ctl`) which a runtime that owns its sockets does not make: the price of knowing nothing.
//!
//! A signal interrupts no call of a green thread. When the hub ends, what still waits is told
//! `ECANCELED` and goes its own way of failing; a `thread::sleep` panics, which is how `std` fails in
//! one, and code that takes no error for an answer and tries for ever is never got rid of.
//!
//! # What stays blocking
//!
//! Each of these stops all green threads for as long as it lasts:
//!
//! * **locks**: `Mutex`, `Condvar`, `mpsc`, `JoinHandle::join`, all that waits by `futex`, which
//!   `std` calls past the C library. A `std` lock that is held across any call of the table above is
//!   a deadlock as soon as a second task wants it, and nothing in the source shows it
//!   (`tests/limits.rs`);
//! * files on a disk, and the standard three: `std` reads and writes those under a lock of the OS
//!   thread, which must not be held by somebody who is parked;
//! * waiting for child processes, for signals, and whatever else is not in the table: `select`,
//!   `epoll_wait`, `flock`, `io_uring`;
//! * system calls that bypass the C library, as `rustix` makes them;
//! * what the C library calls inside itself, as in `getaddrinfo`, `sleep` or `popen`;
//! * computing. Nobody is preempted.
//!
//! None of them shows in the source, so there is a [watchdog]. It names the task that keeps
//! the hub from turning for longer than a limit, and prints where that stands:
//!
//! ```text
//! main (4711) stands still: task a lock waits in the kernel, for 10.4ms so far
//!    0: syscall
//!    1: std::sys::pal::unix::futex::futex_wait
//!    2: <std::sys::sync::mutex::futex::Mutex>::lock_contended
//!    …
//!    5: lane_cases::stalls::wait_for_a_lock
//!              at ./crates/lane-cases/src/stalls.rs:121
//! main (4711) goes on: task a lock held it for 13.1ms
//! ```
//!
//! ```sh
//! cargo run --release -p lane-patched --example stays_blocking    # each of them, caught
//! ```
//!
//! In a program of one's own it is `watchdog.watch(|| lane_patched::run(…))`, and `--watch` in the program
//! `patched`.
//!
//! # When not to do this
//!
//! Nearly always. [`blocking_style`] gets the same for ureq from a
//! trait that the compiler checks; this crate is here to show what is possible, and what it costs.
//!
//! * It changes a whole executable from afar. Who reads `stream.read()` cannot know that a thousand
//!   other tasks may run inside it: thread-locals change across it, locks held across it deadlock,
//!   and neither is an error of the code that breaks.
//! * It knows the calls that today's `std` makes. The next one may make others, and then code that
//!   parked blocks, silently. Nothing in `std`'s promises forbids it.
//! * Crates choose their waiting for threads. ureq with a time-out that covers the look-up of a name
//!   looks it up on a thread of its own and waits for that in a channel: a `futex`, and the hub
//!   stands still meanwhile. Blocking clients that are async code inside never come here: each call of
//!   `postgres` waits in the epoll of a tokio runtime of its own, each of `reqwest::blocking` for a
//!   thread that has one, and all green threads wait with it.
//! * Stacks have a fixed size, which code that was written for 2 MiB or 8 MiB has never met.
//! * A child that was forked and goes on without `exec` shares the hub's epoll with its parent, and
//!   must not wait.
//!
//! Where it does make sense: a large body of blocking code that cannot be changed, in a program that
//! is otherwise yours, with its tests run under the patch. That is what gevent was made for, too.
//!
//! In reading order: `waits` (on what, and for how long), `sockets`, `files`, `connections`,
//! `clocks`, `names`. It needs Linux and glibc. Like every lane: [`runtime`] says how tasks start and
//! wait; [`lane`] is the job on it.

use std::io;
use std::thread;

use lane_hub::hub::{self, Config};

mod clocks;
mod connections;
mod files;
pub mod lane;
mod names;
pub mod runtime;
mod sockets;
mod waits;

pub use lane::PATCHED;
pub use waits::in_green;

/// Runs `main` as the first green thread of a hub on this OS thread, with every call that would block
/// this thread answered by the hub.
///
/// # Errors
///
/// As [`hub::run`].
///
/// # Panics
///
/// On a thread that runs a hub already.
pub fn run<T: Send + 'static>(
    config: Config,
    main: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::Result<T>> {
    let _patched = Patched::begin();
    hub::run(config, main)
}

/// Patched from here on, until dropped.
struct Patched;

impl Patched {
    fn begin() -> Self {
        assert!(!waits::PATCHED.replace(true), "this thread is patched already");
        Patched
    }
}

impl Drop for Patched {
    fn drop(&mut self) {
        waits::PATCHED.set(false);
    }
}
