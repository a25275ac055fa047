//! What a socket may learn of another that had its number: nothing. Descriptors are the process'
//! own, so these cases have a process to themselves, and run one after the other.

use std::io::{ErrorKind, Read};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lane_hub::hub::net::TcpStream;
use lane_hub::hub::{self, Config};

fn connected(listener: &TcpListener) -> (TcpStream, std::net::TcpStream) {
    let stream = TcpStream::connect(listener.local_addr().unwrap(), None).unwrap();
    (stream, listener.accept().unwrap().0)
}

/// Reads from a peer that is silent, and says how often another task ran meanwhile.
fn turns_during_a_silent_read(stream: &mut TcpStream) -> usize {
    let turns = Arc::new(AtomicUsize::new(0));
    let theirs = Arc::clone(&turns);
    let counting = move || {
        loop {
            hub::sleep(Duration::from_millis(1));
            theirs.fetch_add(1, Ordering::Relaxed);
        }
    };
    hub::spawn(counting).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50)));
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::TimedOut);
    turns.load(Ordering::Relaxed)
}

#[test]
fn a_socket_inherits_nothing_from_the_last_of_its_number() {
    let turns = hub::run(Config::default(), || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut first, peer) = connected(&listener);
        drop(peer);
        assert_eq!(first.read(&mut [0]).unwrap(), 0);
        let number = first.as_fd().as_raw_fd();
        drop(first);
        let (mut second, _peer) = connected(&listener);
        assert_eq!(second.as_fd().as_raw_fd(), number);
        let inherited = turns_during_a_silent_read(&mut second);

        // The same with a duplicate that keeps the first one's events coming.
        let (first, peer) = connected(&listener);
        let number = first.as_fd().as_raw_fd();
        let _duplicate = first.as_fd().try_clone_to_owned().unwrap();
        drop(first);
        let (mut second, _peer) = connected(&listener);
        assert_eq!(second.as_fd().as_raw_fd(), number);
        drop(peer);
        (inherited, turns_during_a_silent_read(&mut second))
    });
    let (inherited, duplicated) = turns.unwrap().unwrap();
    assert!(inherited > 0 && duplicated > 0);
}
