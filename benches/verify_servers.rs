//! The answers of servers that are programs, under `cargo test`: each is started as it is to be
//! measured, asked for every document, and ended.

use std::io::Read;
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use harness::Interrupt;
use harness::memory::{Memory, last_words};
use harness::process::{Process, Status, Wake, wait_for};

use crate::servers::ServerProgram;

/// What each of them serves, a document a line, the first with the id 1.
const DOCUMENTS: &str = include_str!("others/documents.jsonl");

/// A hundred workers that each load a framework take twenty seconds of a busy machine.
const READY_LIMIT: Duration = Duration::from_secs(120);
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
const END_LIMIT: Duration = Duration::from_secs(60);

/// Looks at one after the other, and says of each what is wrong with it.
///
/// # Errors
///
/// What is wrong, a line for each that is not right.
pub fn verify(servers: &[ServerProgram]) -> anyhow::Result<()> {
    let interrupt = Interrupt::listen()?;
    let mut wrong = Vec::new();
    for server in servers {
        if let Err(error) = look_at(server, &interrupt) {
            wrong.push(format!("{}: {error:#}", server.id));
        }
        ensure!(!interrupt.has_come(), "interrupted");
    }
    ensure!(wrong.is_empty(), wrong.join("\n"));
    Ok(())
}

fn look_at(server: &ServerProgram, interrupt: &Interrupt) -> anyhow::Result<()> {
    let stderr = Memory::holding("")?;
    let mut command = Command::from(&server.command());
    command.args(["--listen", "127.0.0.1:0"]).stderr(stderr.stdio()?);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = Process::start(&mut command).context("cannot be started")?;
    let stdout = process.child().stdout.take().expect("it is a pipe");
    let running = Running { process, stdout: Said { pipe: stdout, bytes: Vec::new() } };
    // Wherever it goes wrong, what the server said of it tells more.
    running.answers_right(server, interrupt).map_err(|error| {
        match last_words(&stderr.text().unwrap_or_default()) {
            words if words.is_empty() => error,
            words => anyhow!("{error:#} ({words})"),
        }
    })
}

/// A server, which ends at the latest when this does.
struct Running {
    process: Process,
    stdout: Said,
}

impl Running {
    fn answers_right(
        mut self,
        server: &ServerProgram,
        interrupt: &Interrupt,
    ) -> anyhow::Result<()> {
        let is_line = |said: &[u8]| said.contains(&b'\n');
        let said = self.stdout.until(is_line, READY_LIMIT, interrupt).context("its first line")?;
        ensure!(is_line(said.as_bytes()), "ended before it listened");
        let line = said.trim_end();
        let url = line.strip_prefix("listening on ");
        let url = url.with_context(|| format!("said `{line}`, not where it listens"))?;
        answers(server, url)?;
        self.process.terminate();
        // Each of its processes has the pipe, which ends with the last of them.
        let all = self.stdout.until(|_| false, END_LIMIT, interrupt).context("its end")?;
        ensure!(all == said, "said more than one line: `{all}`");
        let wake = self.process.wait(END_LIMIT, interrupt)?;
        ensure!(wake == Wake::Ended, "has closed its output and does not end");
        let (status, _) = self.process.reap()?;
        let is_asked_for = matches!(status, Status::Exited(0) | Status::Signalled(SIGTERM));
        ensure!(is_asked_for, "ended with {status}");
        Ok(())
    }
}

const SIGTERM: i32 = 15;

/// What a server says on standard output.
struct Said {
    pipe: ChildStdout,
    bytes: Vec<u8>,
}

impl Said {
    /// All that it has said once that is enough, or once it says no more.
    fn until(
        &mut self,
        is_enough: impl Fn(&[u8]) -> bool,
        limit: Duration,
        interrupt: &Interrupt,
    ) -> anyhow::Result<String> {
        let deadline = Instant::now() + limit;
        while !is_enough(&self.bytes) {
            let left = deadline.saturating_duration_since(Instant::now());
            match wait_for(&self.pipe, left, interrupt)? {
                Wake::Ended => {}
                Wake::OutOfTime => bail!("not within {} s", limit.as_secs()),
                Wake::Interrupted => bail!("interrupted"),
            }
            let mut some = [0; 256];
            match self.pipe.read(&mut some)? {
                0 => break,
                count => self.bytes.extend(&some[..count]),
            }
        }
        Ok(String::from_utf8_lossy(&self.bytes).into_owned())
    }
}

/// Every document as it is, what must be refused, and waiting, blocking and burning where it does so.
fn answers(server: &ServerProgram, url: &str) -> anyhow::Result<()> {
    // It is on this machine: a proxy that the environment names has no part in it.
    let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER_LIMIT)).proxy(None);
    let agent = config.http_status_as_error(false).build().new_agent();
    let get = |what: &str| {
        let answer = Answer::to(&agent, &format!("{url}/api/v2/pokemon/{what}"));
        answer.with_context(|| what.to_owned())
    };
    let is_document = |what: &str, document: &str| -> anyhow::Result<Duration> {
        let answer = get(what)?;
        ensure!(answer.status == 200, "{what}: status {}", answer.status);
        ensure!(answer.kind == "application/json", "{what}: it is `{}`", answer.kind);
        ensure!(answer.length == document.len().to_string(), "{what}: length {}", answer.length);
        ensure!(answer.body == document.as_bytes(), "{what}: it is another document");
        Ok(answer.took)
    };
    for (id, document) in (1..).zip(DOCUMENTS.lines()) {
        is_document(&id.to_string(), document)?;
    }
    let first = DOCUMENTS.lines().next().unwrap_or_default();
    let took = is_document("1?delay_us=1000&block_us=1000&burn_us=1000", first)?;
    let least = Duration::from_millis(if server.is_static { 0 } else { 3 });
    ensure!(took >= least, "waits, blocks and burns, 1 ms each, within {took:?}");
    let refusals = [("11", 404), ("1?delay=1", 400), ("1?burn_us=x", 400)];
    for (what, status) in &refusals[..if server.is_static { 1 } else { refusals.len() }] {
        let answer = get(what)?;
        ensure!(answer.status == *status, "{what}: status {}, not {status}", answer.status);
    }
    Ok(())
}

struct Answer {
    status: u16,
    /// Its content type, without parameters.
    kind: String,
    /// What it says of its length.
    length: String,
    body: Vec<u8>,
    took: Duration,
}

impl Answer {
    fn to(agent: &ureq::Agent, url: &str) -> Result<Self, ureq::Error> {
        let asked = Instant::now();
        let mut response = agent.get(url).call()?;
        let header = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().split(';').next().unwrap_or_default().to_owned()
        };
        let (kind, length) = (header("content-type"), header("content-length"));
        let body = response.body_mut().read_to_vec()?;
        let status = response.status().as_u16();
        Ok(Answer { status, kind, length, body, took: asked.elapsed() })
    }
}
