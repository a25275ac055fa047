use proptest::prelude::*;

use super::*;

/// What a connection that sends `bytes` in pieces of `piece` asks for, and how it ends.
fn read(bytes: &[u8], piece: usize) -> (Vec<String>, Result<bool, Refused>) {
    let (mut requests, mut asked, mut pieces) =
        (Requests::default(), Vec::new(), bytes.chunks(piece));
    loop {
        let looked = requests.is_in_step();
        let head = match looked.then(|| requests.head()) {
            Some(Err(refused)) => return (asked, Err(refused)),
            Some(Ok(head)) => head.map(|head| format!("{} {}", head.method, head.target)),
            None => None,
        };
        let more = looked && head.is_none();
        asked.extend(head);
        let has_skipped = requests.skip_body();
        if has_skipped && !requests.is_in_step() {
            return (asked, Ok(false));
        }
        if more || !has_skipped {
            let Some(mut piece) = pieces.next() else { return (asked, Ok(has_skipped)) };
            while !piece.is_empty() {
                let spare = requests.spare();
                let count = spare.len().min(piece.len());
                spare[..count].copy_from_slice(&piece[..count]);
                requests.filled(count);
                piece = &piece[count..];
            }
        }
    }
}

fn manner(fields: &str) -> Manner {
    let mut requests = Requests::default();
    let text = format!("GET / HTTP/1.{fields}\r\n\r\n");
    requests.spare()[..text.len()].copy_from_slice(text.as_bytes());
    requests.filled(text.len());
    requests.head().unwrap().unwrap().manner
}

fn refusal(text: &str) -> Refused {
    read(text.as_bytes(), 1_000).1.unwrap_err()
}

const MANY: &str = "\r\nPOST /1 HTTP/1.1\r\nHost: o\r\nContent-Length: 5\r\n\r\nGET /\
    GET /2 HTTP/1.1\r\nHost: o\r\n\r\n\
    POST /3 HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n\
    4;x=y\r\nGET \r\n00A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n\
    HEAD http://o/4?x HTTP/1.1\r\nHost: o\r\n\r\n";

proptest! {
    #[test]
    fn pieces_of_any_size_make_the_same_requests(piece in 1usize..300) {
        let (asked, end) = read(MANY.as_bytes(), piece);
        prop_assert_eq!(asked, ["POST /1", "GET /2", "POST /3", "HEAD /4?x"]);
        prop_assert_eq!(end, Ok(true));
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 1..400),
        cut in 0usize..MANY.len(),
        piece in 1usize..100,
    ) {
        drop(read(&bytes, piece));
        drop(read(&[&MANY.as_bytes()[..cut], &bytes].concat(), piece));
    }
}

#[test]
fn a_connection_goes_on_as_its_version_says() {
    assert!(manner("1\r\nHost: o").keep_alive);
    assert!(!manner("1\r\nHost: o\r\nConnection: x, Close").keep_alive);
    assert!(!manner("0").keep_alive);
    assert!(manner("0\r\nConnection: Keep-Alive").keep_alive);
}

#[test]
fn only_who_sends_a_body_is_told_to_go_on() {
    let expects = "1\r\nHost: o\r\nExpect: 100-continue";
    assert!(!manner(expects).expects_continue);
    assert!(manner(&format!("{expects}\r\nContent-Length: 3")).expects_continue);
    let long = manner(&format!("{expects}\r\nContent-Length: 3000000"));
    assert_eq!((long.expects_continue, long.keep_alive), (false, false));
}

#[test]
fn what_cannot_be_read_is_named() {
    let with = |fields: &str| refusal(&format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n"));
    assert_eq!(with("X: 1"), Refused::Host);
    assert_eq!(with("Host: a\r\nHost: b"), Refused::Host);
    let with = |fields: &str| with(&format!("Host: o\r\n{fields}"));
    for length in ["+1", "many", "", "1\r\nContent-Length: 2", "1\r\nTransfer-Encoding: chunked"] {
        assert_eq!(with(&format!("Content-Length: {length}")), Refused::BodyLength, "{length}");
    }
    assert_eq!(with("Transfer-Encoding: gzip, chunked"), Refused::Coding);
    assert_eq!(with(&"X: 1\r\n".repeat(101)), Refused::HeadTooLarge);
    assert_eq!(with(&format!("X: {}", "x".repeat(20_000))), Refused::HeadTooLarge);
    let long = "x".repeat(20_000);
    assert_eq!(refusal(&format!("GET /{long} HTTP/1.1\r\n")), Refused::TargetTooLong);
    assert_eq!(refusal("GET / HTTP/2.0\r\n\r\n"), Refused::Version);
    assert_eq!(refusal("this is no HTTP\r\n\r\n").status(), 400);
}

#[test]
fn behind_a_body_that_is_too_long_or_broken_nothing_is_asked() {
    let chunked = "POST / HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in ["x\r\n", "2\r\nabc\r\n", "FFFFFFFFFFFFFFFFF\r\n"] {
        let (asked, end) = read(format!("{chunked}{body}{MANY}").as_bytes(), 10);
        assert_eq!((asked.len(), end), (1, Ok(false)), "{body}");
    }
    let long = format!("{chunked}{}", "4\r\n1234\r\n".repeat(40_000));
    assert_eq!(read(long.as_bytes(), 1_000), (vec!["POST /".to_owned()], Ok(false)));
}
