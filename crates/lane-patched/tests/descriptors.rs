//! What a descriptor's number may bring of the one that had it before: nothing. Numbers are the
//! process' own, so these cases have a process to themselves, and run one after the other.

use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Arc;

use lane_hub::hub::{self, Config};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (stream, listener.accept().unwrap().0)
}

#[test]
fn numbers_are_used_again() {
    let done = lane_patched::run(Config::default(), || {
        a_descriptor_used_again_starts_anew();
        a_close_ends_the_wait_of_another_task();
    });
    done.unwrap().unwrap();
}

fn a_descriptor_used_again_starts_anew() {
    let mut last = None;
    for _ in 0..3 {
        let (mut stream, mut peer) = pair();
        let number = stream.as_raw_fd();
        let reader = hub::spawn(move || {
            let count = stream.read(&mut [0]).unwrap();
            (count, stream.read(&mut [0]).unwrap())
        });
        hub::yield_now();
        peer.write_all(b"a").unwrap();
        hub::yield_now();
        drop(peer);
        assert_eq!(reader.unwrap().join().unwrap(), (1, 0));
        assert!(last.replace(number).is_none_or(|last| last == number));
    }
}

fn a_close_ends_the_wait_of_another_task() {
    let (stream, _peer) = pair();
    let number = stream.as_raw_fd();
    let stream = Arc::new(ManuallyDrop::new(stream));
    let reader = hub::spawn(move || (&**stream).read(&mut [0]).unwrap_err());
    hub::yield_now();
    // SAFETY: the reader's stream does not close it again.
    drop(unsafe { TcpStream::from_raw_fd(number) });
    assert_eq!(reader.unwrap().join().unwrap().raw_os_error(), Some(libc::EBADF));
}
