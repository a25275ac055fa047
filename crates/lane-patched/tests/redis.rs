//! The crate `redis`' blocking client, unmodified, on green threads and a real server's other end.
//!
//! Where there is no redis-server the tests show as ignored, with the way to get it. With
//! `COMPARE_TESTS_MUST_RUN=1` in the environment they fail instead.

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::TcpListener;
use std::process::{ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use harness::process::Process;
use lane_hub::hub::{self, Config};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use redis::{Commands, Connection, RedisResult};

/// Green threads that wait at once.
const WAITING: usize = 100;

/// A test whose answer never comes fails after so long, rather than to hang.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let trials = vec![
        trial("what comes is what comes on an OS thread", talk_the_same),
        trial("a pop waits for another task's push", wait_for_each_other),
        trial("a read time-out is kept", time_out),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, test: fn(&Server)) -> Trial {
    Trial::ignorable_test(name, move || {
        let absent = "redis-server is not installed: apt-get install redis-server";
        match Server::start() {
            Ok(Some(server)) => {
                test(&server);
                Ok(Completion::Completed)
            }
            Ok(None) => skip(absent),
            Err(error) => Err(Failed::from(error)),
        }
    })
}

fn skip(why: &str) -> Result<Completion, Failed> {
    match std::env::var_os("COMPARE_TESTS_MUST_RUN") {
        Some(value) if !value.is_empty() => Err(why.into()),
        _ => Ok(Completion::ignored_with(why)),
    }
}

fn green<T: Send + 'static>(main: impl FnOnce() -> T + Send + 'static) -> T {
    let done = lane_patched::run(Config::default(), main).expect("a hub starts");
    done.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

/// Short answers, pipelined ones, an error, and a value that is more than a socket holds at once.
fn talk_the_same(server: &Server) {
    let url = server.url();
    let talk = move || {
        let mut server = connect(&url);
        let large = "0123456789".repeat(1_000_000);
        let () = server.set("large", &large).unwrap();
        let came: String = server.get("large").unwrap();
        assert!(came == large);
        let () = server.del("count").unwrap();
        let mut pipeline = redis::pipe();
        for _ in 0..1_000 {
            pipeline.incr("count", 1);
        }
        let counts: Vec<i64> = pipeline.query(&mut server).unwrap();
        let wrong = server.lpush::<_, _, i64>("count", "no list").unwrap_err().to_string();
        (counts, wrong)
    };
    let on_thread = talk();
    assert_eq!(on_thread.0, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(green(talk), on_thread);
}

/// All of the pops wait in the server at once, and so does each of their tasks, when the task that
/// ends their wait begins to push. They have one OS thread.
fn wait_for_each_other(server: &Server) {
    let url = server.url();
    let popped = green(move || {
        let pop = |list: usize| {
            let url = url.clone();
            move || -> RedisResult<(String, usize)> { connect(&url).blpop(name(list), 0.0) }
        };
        let pops: Vec<_> = (0..WAITING).map(|list| hub::spawn(pop(list)).unwrap()).collect();
        let push = move || {
            let mut server = connect(&url);
            while blocked(&mut server) < WAITING {}
            // The one that waited last is the first to be answered.
            for list in (0..WAITING).rev() {
                let () = server.rpush(name(list), list * list).unwrap();
            }
        };
        hub::spawn(push).unwrap().join().unwrap();
        let popped = pops.into_iter().map(|pop| pop.join().unwrap().unwrap());
        popped.collect::<Vec<_>>()
    });
    let expected: Vec<_> = (0..WAITING).map(|list| (name(list), list * list)).collect();
    assert_eq!(popped, expected);
}

fn name(list: usize) -> String {
    format!("list {list}")
}

/// How many clients wait in the server.
fn blocked(server: &mut Connection) -> usize {
    let clients: String = redis::cmd("INFO").arg("clients").query(server).unwrap();
    let count = clients.lines().find_map(|line| line.strip_prefix("blocked_clients:"));
    count.unwrap().parse().unwrap()
}

fn time_out(server: &Server) {
    let url = server.url();
    let pop = move || {
        let mut server = connect(&url);
        server.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        server.blpop::<_, (String, String)>("nothing", 0.0).unwrap_err().is_timeout()
    };
    assert!(pop());
    assert!(green(pop));
}

fn connect(url: &str) -> Connection {
    let server = redis::Client::open(url).unwrap().get_connection().unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    server
}

/// A server that ends with the test.
struct Server {
    port: u16,
    _process: Process,
    /// Open, for what it says later.
    _says: BufReader<ChildStdout>,
}

impl Server {
    /// None where it is not installed.
    fn start() -> Result<Option<Self>, String> {
        // Somebody else may take a port between the system's choice and the server's start.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
            let port = free.map_err(|error| error.to_string())?.port();
            match Server::start_on(port) {
                Ok(Some(server)) => return Ok(Some(server)),
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(format!("redis-server does not start: {error}")),
            }
        }
        Err("redis-server ended before it served, on ten ports".to_owned())
    }

    /// None where it ends before it serves.
    fn start_on(port: u16) -> std::io::Result<Option<Self>> {
        let mut command = Command::new("redis-server");
        // In memory alone.
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--port", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Process::start(&mut command)?;
        let mut says = BufReader::new(process.child().stdout.take().expect("it is a pipe"));
        let mut line = String::new();
        while says.read_line(&mut line)? > 0 {
            if line.contains("Ready to accept connections") {
                return Ok(Some(Server { port, _process: process, _says: says }));
            }
            line.clear();
        }
        Ok(None)
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}
