//! The slab on a kernel that cannot mark guard pages, which is one before Linux 6.13: its guards are
//! mappings then, whose number the kernel limits.
//!
//! On a newer one, this process forbids itself the marks by a filter of system calls (`seccomp(2)`).
//! Where it may not, the tests show as ignored; with `COMPARE_TESTS_MUST_RUN=1` in the environment
//! they fail instead.

use std::fs;
use std::hint::black_box;
use std::io;
use std::mem::offset_of;
use std::process::ExitCode;

use harness::Limits;
use job::{Client, Corpus, Job};
use lane_hub::HUB_SLAB;
use lane_hub::hub::slab::Slab;
use lane_hub::hub::{self, Config, Stacks};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() -> ExitCode {
    let forbidden = forbid_marks().map_err(|error| format!("seccomp(2) forbids nothing: {error}"));
    let trial = |name, test: fn()| {
        let forbidden = forbidden.clone();
        Trial::ignorable_test(name, move || match forbidden {
            Ok(()) => {
                test();
                Ok(Completion::Completed)
            }
            Err(why) => skip(why),
        })
    };
    let trials = vec![
        trial("a stack takes two mappings, and the lane says so", count_mappings),
        trial("a job that needs too many is refused before it starts", refuse),
        trial("whoever runs out is told of the limit", run_out),
        trial("an overflow ends its task and no other", overflow),
    ];
    let mut arguments = Arguments::from_args();
    // One after another: mappings are the whole process'.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn skip(why: String) -> Result<Completion, Failed> {
    match std::env::var_os("COMPARE_TESTS_MUST_RUN") {
        Some(value) if !value.is_empty() => Err(why.into()),
        _ => Ok(Completion::ignored_with(why)),
    }
}

fn needs(requests: u64) -> job::Needs {
    let corpus = Corpus::generated(7, 1_500, 1).unwrap();
    (HUB_SLAB.needs)(&Job::new("http://127.0.0.1:1", &corpus, requests, requests, Client::Raw))
}

fn count_mappings() {
    let mappings = || fs::read_to_string("/proc/self/maps").unwrap().lines().count() as u64;
    let slab = Slab::new(64 * 1024, 1_000).unwrap();
    let before = mappings();
    let stacks: Vec<_> = (0..500).map(|_| slab.carve().unwrap()).collect();
    // The last stack's lies in the one that was there, with all that is not carved yet.
    assert!((999..1_010).contains(&(mappings() - before)), "{}", mappings() - before);
    drop(stacks);
    assert_eq!(Slab::mappings(500).unwrap(), 1_000);
    // The task that starts the others has a stack, too.
    assert_eq!(needs(499).mappings, 1_000);
}

fn refuse() {
    let generous = Limits { descriptors: u64::MAX, ports: u64::MAX, ..Limits::read() };
    let limits = Limits { mappings: 65_530, ..generous };
    assert_eq!(limits.refuse(&needs(30_000)), None);
    let refusal = limits.refuse(&needs(40_000)).unwrap();
    assert_eq!((refusal.what, refusal.limit.as_str()), ("memory mappings", "vm.max_map_count"));
}

fn run_out() {
    let most = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    let most: usize = most.trim().parse().unwrap();
    let slab = Slab::new(4_096, most / 2 + 1).unwrap();
    let mut stacks = Vec::with_capacity(most);
    let error = loop {
        match slab.carve() {
            Ok(stack) => stacks.push(stack),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("vm.max_map_count"), "{error}");
    // All but a few, which the process has for itself.
    assert!(stacks.len() > most / 2 - 500, "{} of {most}", stacks.len());
    // One that is given back is guarded already.
    drop(stacks.pop());
    assert!(slab.carve().is_ok());
}

#[expect(unconditional_recursion, reason = "it is there to overflow")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[depth as usize % 64]
}

fn overflow() {
    let ended = hub::run_on(Stacks::Slab { most: 3 }, Config::default(), || {
        let lost = hub::spawn(|| recurse(0)).unwrap();
        let other = hub::spawn(|| 7).unwrap();
        (*lost.join().unwrap_err().downcast::<&str>().unwrap(), other.join().unwrap())
    });
    assert_eq!(ended.unwrap().unwrap(), ("its stack overflowed", 7));
}

/// `MADV_GUARD_INSTALL` of Linux 6.13.
const GUARD_INSTALL: u32 = 102;

/// From here on and on every thread, that call fails as in a kernel that does not know it.
fn forbid_marks() -> io::Result<()> {
    let advice = offset_of!(libc::seccomp_data, args) + 2 * size_of::<u64>();
    // The lower half of the argument: both processors that the slab knows are little-endian.
    let load = |offset: usize| (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset as u32);
    let statement =
        |(code, k): (u32, u32)| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let unless = |k: u32, jf: u8| {
        let code = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
        libc::sock_filter { code, jt: 0, jf, k }
    };
    let answer = |k: u32| statement((libc::BPF_RET | libc::BPF_K, k));
    let mut filter = [
        statement(load(offset_of!(libc::seccomp_data, nr))),
        unless(libc::SYS_madvise as u32, 3),
        statement(load(advice)),
        unless(GUARD_INSTALL, 1),
        answer(libc::SECCOMP_RET_ERRNO | libc::EINVAL as u32),
        answer(libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: prctl(2) reads the program, which lives until it returns, and changes nothing but
    // what this process may ask of the kernel from now on.
    let failed = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            || libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) != 0
    };
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}
