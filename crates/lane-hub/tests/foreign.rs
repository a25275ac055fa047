//! Waiting for what the hub did not open.

use std::fs::File;
use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lane_hub::hub::{self, Config, Direction, foreign};

fn on_hub<T: Send + 'static>(main: impl FnOnce() -> T + Send + 'static) -> T {
    let done = hub::run(Config::default(), main).unwrap();
    done.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

fn wait(pipe: &PipeReader, limit: Option<Duration>) -> io::Result<()> {
    let deadline = limit.map(|limit| Instant::now() + limit);
    foreign::wait(pipe.as_raw_fd(), Direction::Read, deadline)
}

/// Each wait is told what is ready then, and nothing is left of the last.
#[test]
fn a_pipe_is_waited_for_again_and_again() {
    on_hub(|| {
        let (mut reader, mut writer) = io::pipe().unwrap();
        for _ in 0..3 {
            let limit = Some(Duration::from_millis(1));
            assert_eq!(wait(&reader, limit).unwrap_err().kind(), ErrorKind::TimedOut);
            writer.write_all(b"a").unwrap();
            wait(&reader, None).unwrap();
            // Still there.
            wait(&reader, None).unwrap();
            reader.read_exact(&mut [0]).unwrap();
        }
    });
}

#[test]
fn all_who_wait_are_woken() {
    let woken = on_hub(|| {
        let (reader, mut writer) = io::pipe().unwrap();
        let reader = Arc::new(reader);
        let tasks = [(); 3].map(|()| {
            let reader = Arc::clone(&reader);
            hub::spawn(move || wait(&reader, None).is_ok()).unwrap()
        });
        hub::yield_now();
        writer.write_all(b"a").unwrap();
        tasks.map(|task| task.join().unwrap())
    });
    assert_eq!(woken, [true; 3]);
}

#[test]
fn who_waits_for_what_is_closed_is_told() {
    let told = on_hub(|| {
        let (reader, _writer) = io::pipe().unwrap();
        let number = reader.as_raw_fd();
        let waiting = hub::spawn(move || wait(&reader, None)).unwrap();
        hub::yield_now();
        foreign::closing(number);
        waiting.join().unwrap()
    });
    assert_eq!(told.unwrap_err().raw_os_error(), Some(rustix::io::Errno::BADF.raw_os_error()));
}

#[test]
fn a_file_on_a_disk_cannot_be_waited_for() {
    let refused = on_hub(|| {
        let file = File::open(std::env::current_exe().unwrap()).unwrap();
        foreign::wait(file.as_raw_fd(), Direction::Read, None)
    });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
}
