//! What the patched calls promise, one by one, through `std` alone.

use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use lane_hub::hub::{self, Config, JoinHandle};

fn green<T: Send + 'static>(main: impl FnOnce() -> T + Send + 'static) -> T {
    let done = lane_patched::run(Config::default(), main).expect("a hub starts");
    done.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

fn task<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    hub::spawn(work).expect("there is a stack left")
}

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (stream, listener.accept().unwrap().0)
}

fn is_nonblocking(stream: &impl AsRawFd) -> bool {
    // SAFETY: F_GETFL takes no pointer.
    unsafe { libc::fcntl(stream.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK != 0 }
}

/// Both ends on one thread: each waits for the other, so any call that blocked would hang.
#[test]
fn two_ends_talk_on_one_thread() {
    let received = green(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = task(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut word = [0; 4];
            stream.read_exact(&mut word).unwrap();
            stream.write_all(&word).unwrap();
        });
        let mut stream = TcpStream::connect(address).unwrap();
        assert!(!is_nonblocking(&stream));
        stream.write_all(b"ping").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        server.join().unwrap();
        answer
    });
    assert_eq!(received, b"ping");
}

/// More than any buffer holds, in one call: a blocking `send` takes it all.
#[test]
fn a_write_is_as_whole_as_the_kernels() {
    let bytes = vec![7; 16 << 20];
    let (sent, got) = green(move || {
        let (mut stream, mut peer) = pair();
        let reader = task(move || peer.read_to_end(&mut Vec::new()).unwrap());
        let sent = stream.write(&bytes).unwrap();
        drop(stream);
        (sent, reader.join().unwrap())
    });
    assert_eq!((sent, got), (16 << 20, 16 << 20));
}

#[test]
fn vectors_arrive_whole_or_in_part() {
    let got = green(|| {
        let (mut stream, mut peer) = pair();
        let reader = task(move || {
            let (mut head, mut tail) = ([0; 2], [0; 2]);
            let mut buffers = [io::IoSliceMut::new(&mut head), io::IoSliceMut::new(&mut tail)];
            let count = peer.read_vectored(&mut buffers).unwrap();
            (count, head, tail)
        });
        hub::yield_now();
        let sent = stream.write_vectored(&[io::IoSlice::new(b"ab"), io::IoSlice::new(b"cd")]);
        assert_eq!(sent.unwrap(), 4);
        reader.join().unwrap()
    });
    assert_eq!(got, (4, *b"ab", *b"cd"));
}

#[test]
fn a_nonblocking_socket_keeps_its_meaning() {
    let (read, accepted, peeked) = green(|| {
        let (mut stream, _peer) = pair();
        stream.set_nonblocking(true).unwrap();
        let read = stream.read(&mut [0]).unwrap_err().kind();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let accepted = listener.accept().unwrap_err().kind();
        let room = libc::MSG_DONTWAIT | libc::MSG_PEEK;
        stream.set_nonblocking(false).unwrap();
        // SAFETY: room for no bytes.
        let count = unsafe { libc::recv(stream.as_raw_fd(), [0u8].as_mut_ptr().cast(), 1, room) };
        (read, accepted, (count, io::Error::last_os_error().kind()))
    });
    assert_eq!((read, accepted), (ErrorKind::WouldBlock, ErrorKind::WouldBlock));
    assert_eq!(peeked, (-1, ErrorKind::WouldBlock));
}

#[test]
fn a_sockets_time_outs_strike_as_the_kernels_do() {
    let limits = || {
        let (mut stream, peer) = pair();
        let short = Some(Duration::from_millis(20));
        stream.set_read_timeout(short).unwrap();
        stream.set_write_timeout(short).unwrap();
        let read = stream.read(&mut [0]).unwrap_err().kind();
        let big = vec![0; 16 << 20];
        let first = stream.write(&big).unwrap();
        // What is under way to the peer makes room once more, perhaps; then nothing does.
        let last = loop {
            if let Err(error) = stream.write(&big) {
                break error.kind();
            }
        };
        // Still open, and not read from.
        drop(peer);
        (read, first > 0 && first < big.len(), last)
    };
    let on_thread = limits();
    assert_eq!(on_thread, (ErrorKind::WouldBlock, true, ErrorKind::WouldBlock));
    assert_eq!(green(limits), on_thread);
}

#[test]
fn both_directions_of_one_descriptor_wait_at_once() {
    let (sent, got) = green(|| {
        let (stream, mut peer) = pair();
        let stream = Arc::new(stream);
        let theirs = Arc::clone(&stream);
        let reader = task(move || (&*theirs).read(&mut [0; 8]).unwrap());
        let theirs = Arc::clone(&stream);
        let writer = task(move || (&*theirs).write(&vec![0; 8 << 20]).unwrap());
        hub::yield_now();
        // Both wait now: nothing has come, and nobody takes what is sent.
        peer.write_all(b"four").unwrap();
        let mut rest = vec![0; 8 << 20];
        peer.read_exact(&mut rest).unwrap();
        (writer.join().unwrap(), reader.join().unwrap())
    });
    assert_eq!((sent, got), (8 << 20, 4));
}

#[test]
fn a_duplicate_is_waited_for_by_itself() {
    let got = green(|| {
        let (stream, mut peer) = pair();
        let readers = [stream.try_clone().unwrap(), stream.try_clone().unwrap()]
            .map(|mut stream| task(move || stream.read(&mut [0; 1]).unwrap()));
        hub::yield_now();
        drop(stream);
        peer.write_all(b"ab").unwrap();
        readers.map(|reader| reader.join().unwrap())
    });
    assert_eq!(got, [1, 1]);
}

#[test]
fn a_refused_connection_is_refused() {
    let refused = || TcpStream::connect("127.0.0.1:1").unwrap_err().kind();
    assert_eq!(green(refused), ErrorKind::ConnectionRefused);
    let limit = Duration::from_secs(60);
    let refused = move || TcpStream::connect_timeout(&([127, 0, 0, 1], 1).into(), limit);
    assert_eq!(green(refused).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn datagrams_and_local_sockets_wait_too() {
    green(|| {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = receiver.local_addr().unwrap();
        let waiting = task(move || receiver.recv_from(&mut [0; 8]).unwrap().0);
        hub::yield_now();
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"udp", address).unwrap();
        assert_eq!(waiting.join().unwrap(), 3);

        let (mut left, mut right) = UnixStream::pair().unwrap();
        let waiting = task(move || right.read(&mut [0; 8]).unwrap());
        hub::yield_now();
        left.write_all(b"local").unwrap();
        assert_eq!(waiting.join().unwrap(), 5);
    });
}

/// A full queue of a local socket cannot be polled for, so an OS thread waits in it.
#[test]
fn a_local_connection_waits_for_room_in_the_queue() {
    let name = std::env::temp_dir().join(format!("patched-{}", std::process::id()));
    let listener = UnixListener::bind(&name).unwrap();
    // SAFETY: a socket, and a number.
    unsafe { libc::listen(listener.as_raw_fd(), 0) };
    let at = name.clone();
    green(move || {
        let _first = UnixStream::connect(&at).unwrap();
        let second = task(move || UnixStream::connect(&at).map(drop));
        hub::yield_now();
        // Only now is there room, and only this task can make it.
        listener.accept().unwrap();
        second.join().unwrap().unwrap();
    });
    std::fs::remove_file(name).unwrap();
}

/// Written and read in pieces, on one thread; a pipe holds 64 KiB.
#[test]
fn pipes_wait_too() {
    let got = green(|| {
        let (reader, mut writer) = io::pipe().unwrap();
        let read = |mut reader: PipeReader| {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        };
        let reading = task(move || read(reader).unwrap());
        let bytes: Vec<u8> = (0..1 << 20).map(|at: u32| at as u8).collect();
        writer.write_all(&bytes).unwrap();
        drop(writer);
        reading.join().unwrap() == bytes
    });
    assert!(got);
}

/// `Command` reads two pipes at once with `poll`; with something to do before `exec` it forks.
#[test]
fn a_child_process_is_read_while_others_run() {
    for forks in [false, true] {
        let output = green(move || {
            let (gate, mut opener) = io::pipe().unwrap();
            let child = task(move || {
                let mut command = Command::new("sh");
                command.args(["-c", "read line; echo out; echo err >&2"]).stdin(gate);
                if forks {
                    // SAFETY: it does nothing.
                    unsafe { command.pre_exec(|| Ok(())) };
                }
                command.output().unwrap()
            });
            hub::yield_now();
            // The child says nothing before this task has had its turn.
            opener.write_all(b"go\n").unwrap();
            child.join().unwrap()
        });
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
    }
}

#[test]
fn tasks_sleep_side_by_side_in_std() {
    let (most, order) = green(|| {
        let (asleep, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let tasks = [30, 10, 20].map(|milliseconds| {
            let (asleep, most) = (Arc::clone(&asleep), Arc::clone(&most));
            let order = Arc::clone(&order);
            task(move || {
                most.fetch_max(1 + asleep.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
                plain_blocking::nap(Duration::from_millis(milliseconds));
                asleep.fetch_sub(1, Ordering::Relaxed);
                order.lock().unwrap().push(milliseconds);
            })
        });
        tasks.into_iter().for_each(|task| task.join().unwrap());
        let order = order.lock().unwrap().clone();
        (most.load(Ordering::Relaxed), order)
    });
    assert_eq!((most, order), (3, vec![10, 20, 30]));
}

/// A thread that the program starts itself blocks as ever, beside the hub.
#[test]
fn the_programs_own_threads_are_left_alone() {
    let got = green(|| {
        let (mut stream, mut peer) = pair();
        let thread = thread::spawn(move || {
            assert!(!lane_patched::in_green());
            peer.read(&mut [0; 8]).unwrap()
        });
        stream.write_all(b"bytes").unwrap();
        // Joining is a futex, and stops the hub; here nobody else has anything to do.
        thread.join().unwrap()
    });
    assert_eq!(got, 5);
}

/// When `main` returns, what still waits is told `ECANCELED`, and its values are dropped.
#[test]
fn what_waits_when_the_hub_ends_is_cancelled() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let theirs = Arc::clone(&seen);
    green(move || {
        let (mut stream, peer) = pair();
        let told = Arc::clone(&theirs);
        task(move || {
            let _peer = peer;
            let code = stream.read(&mut [0]).unwrap_err().raw_os_error();
            told.lock().unwrap().push(code);
        });
        struct Tell(Arc<std::sync::Mutex<Vec<Option<i32>>>>);
        impl Drop for Tell {
            fn drop(&mut self) {
                self.0.lock().unwrap().push(None);
            }
        }
        task(move || {
            let _dropped = Tell(theirs);
            plain_blocking::nap(Duration::from_secs(3_600));
        });
        hub::yield_now();
    });
    assert_eq!(*seen.lock().unwrap(), [Some(libc::ECANCELED), None]);
}
