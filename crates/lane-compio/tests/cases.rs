//! The lanes' common test, on compio, as far as its clients go.
//!
//! Where the kernel refuses io_uring the tests show as ignored, with the way to get it. With
//! `COMPARE_TESTS_MUST_RUN=1` in the environment they fail instead.

use std::panic::resume_unwind;
use std::process::ExitCode;

use job::{Client as Kind, Corpus, Job};
use lane_cases::{Asks, OddServer, run_open_loop, run_timeline, run_up_to};
use lane_compio::{COMPIO, Client, runtime};
use libtest_mimic::{Arguments, Completion, Trial};

fn main() -> ExitCode {
    let trials = vec![
        trial("every_case_ends_as_it_must", every_case_ends_as_it_must),
        trial("a_connection_is_used_again", a_connection_is_used_again),
        trial("every_request_is_told", every_request_is_told),
        trial("the_open_loop_is_kept", the_open_loop_is_kept),
        trial("a_panic_is_its_tasks_alone", a_panic_is_its_tasks_alone),
        trial("it_is_on_io_uring", it_is_on_io_uring),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test that needs a ring.
fn trial(name: &str, test: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        let must_run = std::env::var_os("COMPARE_TESTS_MUST_RUN").is_some_and(|it| !it.is_empty());
        match runtime::local() {
            Err(why) if must_run => Err(why.into()),
            Err(why) => Ok(Completion::ignored_with(why.to_string())),
            Ok(_) => {
                test();
                Ok(Completion::Completed)
            }
        }
    })
}

fn every_case_ends_as_it_must() {
    let server = OddServer::start();
    let corpus = Corpus::generated(1, 1_500, 1).unwrap();
    let runtime = runtime::local().unwrap();
    for (kind, asks) in [(Kind::Library, Asks::Http), (Kind::Raw, Asks::Exchange)] {
        let job = Job::new("http://127.0.0.1:1", &corpus, 2, 1, kind);
        let client = Client::new(&job);
        let wrong = run_up_to(asks, &server, |url| runtime.block_on(client.fetch(url)));
        assert_eq!(wrong, Vec::<String>::new());
    }
}

fn a_connection_is_used_again() {
    let server = OddServer::start();
    let corpus = Corpus::generated(1, 1_500, 1).unwrap();
    let runtime = runtime::local().unwrap();
    for kind in [Kind::Library, Kind::Raw] {
        let before = server.connections();
        let client = Client::new(&Job::new("http://127.0.0.1:1", &corpus, 2, 1, kind));
        let url = format!("http://{}/plain", server.plain);
        for _ in 0..2 {
            runtime.block_on(client.fetch(&url)).unwrap();
        }
        assert_eq!(server.connections(), before + 1, "{kind}");
    }
}

fn every_request_is_told() {
    assert_eq!(run_timeline(&COMPIO), Vec::<String>::new());
}

fn the_open_loop_is_kept() {
    assert_eq!(run_open_loop(&COMPIO), Vec::<String>::new());
}

fn a_panic_is_its_tasks_alone() {
    let runtime = runtime::local().unwrap();
    let tasks = async {
        // A panic that tells nobody.
        let panics = compio::runtime::spawn(async { resume_unwind(Box::new("enough")) });
        let goes_on = compio::runtime::spawn(async { 2 });
        (panics.await.is_err(), goes_on.await.unwrap())
    };
    assert_eq!(runtime.block_on(tasks), (true, 2));
}

fn it_is_on_io_uring() {
    assert!(runtime::local().unwrap().driver_type().is_iouring());
}
