//! Readiness at its edges.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use lane_hub::hub::net::TcpStream;
use lane_hub::hub::{self, Config};

fn on_hub<T: Send + 'static>(main: impl FnOnce() -> T + Send + 'static) -> T {
    hub::run(Config::default(), main).unwrap().unwrap()
}

fn connected(listener: &TcpListener) -> (TcpStream, std::net::TcpStream) {
    let stream = TcpStream::connect(listener.local_addr().unwrap(), None).unwrap();
    (stream, listener.accept().unwrap().0)
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn bytes_and_their_end_in_one_event_are_both_seen() {
    let reads = on_hub(|| {
        let (mut stream, mut peer) = connected(&listener());
        hub::yield_now();
        peer.write_all(b"ab").unwrap();
        drop(peer);
        stream.set_read_timeout(Some(Duration::from_secs(60)));
        [16; 3].map(|most| stream.read(&mut vec![0; most]).unwrap())
    });
    assert_eq!(reads, [2, 0, 0]);
}

#[test]
fn a_read_that_takes_all_there_is_waits_for_more() {
    let reads = on_hub(|| {
        let (mut stream, mut peer) = connected(&listener());
        let writer = hub::spawn(move || {
            for byte in [b"a", b"b"] {
                peer.write_all(byte).unwrap();
                hub::sleep(Duration::from_millis(1));
            }
        });
        let reads = [16; 3].map(|most| stream.read(&mut vec![0; most]).unwrap());
        writer.unwrap().join().unwrap();
        reads
    });
    assert_eq!(reads, [1, 1, 0]);
}

#[test]
fn a_wake_up_outlives_another_suspension() {
    on_hub(|| {
        hub::waker().wake();
        hub::yield_now();
        hub::yield_now();
        hub::park();
    });
}

#[test]
fn tasks_that_only_yield_keep_nobody_from_a_timer() {
    on_hub(|| {
        for _ in 0..2 {
            hub::spawn(|| {
                loop {
                    hub::yield_now();
                }
            })
            .unwrap();
        }
        hub::sleep(Duration::from_millis(5));
    });
}

/// Both the socket's bytes and the other thread's wake-up come while two tasks are always ready.
#[test]
fn tasks_that_only_yield_keep_nobody_from_a_socket_or_a_wake_up() {
    on_hub(|| {
        let (mut stream, mut peer) = connected(&listener());
        for _ in 0..2 {
            hub::spawn(|| {
                loop {
                    hub::yield_now();
                }
            })
            .unwrap();
        }
        hub::spawn(move || hub::offload(move || peer.write_all(b"a"))).unwrap();
        assert_eq!(stream.read(&mut [0; 16]).unwrap(), 1);
        assert_eq!(hub::offload(|| 7).unwrap(), 7);
    });
}

#[test]
fn tasks_that_have_not_begun_when_the_hub_ends_are_dropped() {
    let work = Arc::new(());
    let theirs = Arc::clone(&work);
    on_hub(move || drop(hub::spawn(move || drop(theirs)).unwrap()));
    assert_eq!(Arc::strong_count(&work), 1);
}

#[test]
fn a_time_out_beyond_the_clock_is_none() {
    on_hub(|| {
        let (mut stream, mut peer) = connected(&listener());
        stream.set_read_timeout(Some(Duration::MAX));
        peer.write_all(b"a").unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 1);
    });
}
