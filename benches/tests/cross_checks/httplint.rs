//! The origin's answers against httplint, the checks behind redbot.org: whether the syntax, the lengths
//! and the dates are those of HTTP. What is asked and answered beyond that is in
//! `crates/origin/tests/abuse/`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;
use libtest_mimic::Trial;
use origin::Server;

use crate::setting;
use crate::support::Scratch;
use crate::tools::{installed_by, output_of, tell, trial_with};

/// One of each answer.
const REQUESTS: [&str; 7] = [
    "GET /api/v2/pokemon/1",
    "GET /api/v2/pokemon/1?delay_us=1000&close=1",
    "GET /api/v2/pokemon/999",
    "GET /api/v2/pokemon/1?close=2",
    "DELETE /api/v2/pokemon/1",
    "GET /stats",
    "GET /",
];

pub fn trials() -> Vec<Trial> {
    let httplint = || installed_by("httplint", "pipx install httplint");
    let trial = |server: &Server| {
        let server = *server;
        let name = format!("httplint_finds_nothing_bad_in_{}", server.name());
        trial_with(&name, httplint, move |httplint| finds_nothing_bad(&httplint, server))
    };
    // may_minihttp closes for nobody, so that an answer's end is nowhere told but in its length.
    let ours = Server::value_variants().iter().filter(|server| **server != Server::MayMinihttp);
    ours.map(trial).collect()
}

fn finds_nothing_bad(httplint: &Path, server: Server) {
    let origin = setting::origin(server);
    let address = origin.url.strip_prefix("http://").unwrap();
    let scratch = Scratch::new();
    for request in REQUESTS {
        let answer = scratch.path("answer.http");
        fs::write(&answer, answer_to(address, request)).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" -n < \"$1\""]).arg(httplint).arg(&answer);
        let said = output_of(&mut command);
        // That it has read the answer, and has no objection.
        assert!(said.contains("[GOOD] The Content-Length header is correct."), "{request}: {said}");
        assert!(!said.contains("[BAD]"), "{request}: {said}");
    }
    tell(&format!("{}: {} answers", server.name(), REQUESTS.len()));
}

/// The answer as it came, up to the end of the connection.
fn answer_to(address: &str, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(setting::LIMIT)).unwrap();
    let fields = "HTTP/1.1\r\nHost: origin\r\nConnection: close";
    write!(stream, "{request} {fields}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}
