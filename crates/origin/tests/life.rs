//! How it starts, and how it ends.

mod common;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Origin, SERVERS, command};

/// What it says when it cannot start, which is one line.
fn refusal(arguments: &[&str]) -> String {
    let ended = command().args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(!ended.status.success());
    assert!(ended.stdout.is_empty());
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

#[test]
fn it_ends_when_its_parent_closes_the_pipe() {
    for server in SERVERS {
        let origin = Origin::start(&["--server", server]);
        assert_eq!(origin.get("/api/v2/pokemon/1").status, 200);
        assert!(origin.end().success());
    }
}

#[test]
fn it_ends_with_requests_in_flight() {
    for server in SERVERS {
        let origin = Origin::start(&["--server", server]);
        let mut client = origin.connect();
        client.send("GET /api/v2/pokemon/1?delay_us=60000000 HTTP/1.1\r\nHost: origin\r\n\r\n");
        origin.stats_with_in_flight(1);
        assert!(origin.end().success());
        assert!(client.is_closed());
    }
}

#[test]
fn it_ends_well_on_the_signals_to_end() {
    for signal in ["TERM", "INT"] {
        let mut origin = Origin::start(&[]);
        let id = origin.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        assert!(origin.process.wait().unwrap().success());
    }
}

#[test]
fn a_folder_without_documents_is_told() {
    let folder = std::env::temp_dir().join(format!("origin-life-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let told = |folder: &Path| refusal(&["--corpus", folder.to_str().unwrap()]);
    assert!(told(&folder).contains("holds no *.json file"));
    std::fs::write(folder.join("7.json"), "{}").unwrap();
    assert!(told(&folder).contains("7.json is not a document"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(told(&folder).contains("cannot be read"));
}

#[test]
fn a_size_that_cannot_be_is_told() {
    assert!(refusal(&["--bytes", "1500,10"]).contains("a generated document has at least"));
}

#[test]
fn an_address_that_is_not_of_this_machine_is_told() {
    assert!(refusal(&["--listen", "192.0.2.1:0"]).contains("cannot listen on 192.0.2.1:0"));
}

#[test]
fn a_port_in_use_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for server in SERVERS {
        let arguments = ["--server", server, "--listen", &address];
        let ended = command().args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(!ended.status.success());
        assert!(ended.stdout.is_empty());
        let told = String::from_utf8(ended.stderr).unwrap();
        let last = told.lines().last().unwrap();
        assert!(last.contains("is in use; choose another port with --listen"), "{told}");
    }
}
