//! The cases, and what must come of each on every runtime.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use blocking_style::{Runtime, fetch, plug};
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use crate::OddServer;

/// One thing that a server does.
pub struct Case {
    /// What it is about.
    pub name: &'static str,
    /// Where, as `http:/path` or `https:/path` on the odd server, or a whole URL.
    url: &'static str,
    /// Which time-out the client sets.
    timeout: Timeout,
    /// What must come of it.
    expect: Expect,
}

enum Timeout {
    None,
    Response,
    Body,
    Global,
    Connect,
    /// Less than the millisecond in which some runtimes count.
    Short,
}

enum Expect {
    /// The odd server's document.
    Document,
    /// An error whose text has this in it.
    Error(&'static str),
}

use Expect::{Document, Error};

const fn case(name: &'static str, url: &'static str, timeout: Timeout, expect: Expect) -> Case {
    Case { name, url, timeout, expect }
}

/// Every case, in the order in which they run. The first two share a connection.
pub const CASES: &[Case] = &[
    case("plain", "http:/plain", Timeout::None, Document),
    case("plain, the connection used again", "http:/plain", Timeout::None, Document),
    case("250 KB", "http:/big", Timeout::None, Document),
    case("chunked", "http:/chunked", Timeout::None, Document),
    case("gzip", "http:/gzip", Timeout::None, Document),
    case("bytes that drip", "http:/drip", Timeout::None, Document),
    case("redirect", "http:/redirect", Timeout::None, Document),
    case("sixty header fields", "http:/many-headers", Timeout::None, Document),
    case("JSON nested 120 deep", "http:/deep", Timeout::None, Document),
    case("the body ends with the connection", "http:/close", Timeout::None, Document),
    case("not found", "http:/nowhere", Timeout::None, Error("status: 404")),
    case("cut off", "http:/cut", Timeout::None, Error("disconnect")),
    case("reset", "http:/reset", Timeout::None, Error("reset by peer")),
    case("garbage", "http:/garbage", Timeout::None, Error("protocol")),
    case("not JSON", "http:/not-json", Timeout::None, Error("expected value")),
    case("TLS", "https:/plain", Timeout::None, Document),
    case("TLS, the connection used again", "https:/plain", Timeout::None, Document),
    case("TLS, 250 KB", "https:/big", Timeout::None, Document),
    case("TLS, chunked", "https:/chunked", Timeout::None, Document),
    case("TLS, gzip", "https:/gzip", Timeout::None, Document),
    case("TLS, JSON nested 120 deep", "https:/deep", Timeout::None, Document),
    case("time-out of the response", "http:/silent", Timeout::Response, Error("receive response")),
    case("time-out of the body", "http:/silent-body", Timeout::Body, Error("receive body")),
    case("time-out of all", "http:/silent", Timeout::Global, Error("global")),
    case("time-out of all, TLS", "https:/silent", Timeout::Global, Error("global")),
    case("time-out below a millisecond", "http:/silent", Timeout::Short, Error("receive response")),
    case("refused", "http://127.0.0.1:1/", Timeout::None, Error("refused")),
    case("a name that cannot be", "http://a..b/", Timeout::None, Error("host not found")),
    case("a full backlog", "full", Timeout::Connect, Error("connect")),
];

/// Runs every case on `runtime` against `server`; each that went otherwise than it must is told in
/// a line of the result.
pub fn run_all(runtime: &Arc<dyn Runtime>, server: &OddServer) -> Vec<String> {
    let patient = agent(runtime, server, &Timeout::None);
    let connections = server.connections();
    let mut wrong = Vec::new();
    for (index, case) in CASES.iter().enumerate() {
        let agent = match case.timeout {
            Timeout::None => patient.clone(),
            _ => agent(runtime, server, &case.timeout),
        };
        let full = FullBacklog::new_if(case.url == "full");
        let url = url_of(case.url, server, full.as_ref());
        wrong.extend(check(case, &agent, &url).err());
        if index == 1 && server.connections() != connections + 1 {
            wrong.push("plain, twice: the connection was not used again".to_owned());
        }
    }
    wrong
}

fn check(case: &Case, agent: &Agent, url: &str) -> Result<(), String> {
    match (fetch(agent, url), &case.expect) {
        (Ok(fetched), Document) if fetched.document.id == 1 => Ok(()),
        (Err(error), Error(text)) if error.why.to_lowercase().contains(text) => Ok(()),
        (Ok(_), Error(text)) => {
            Err(format!("{}: expected an error with {text:?}, got a document", case.name))
        }
        (Ok(fetched), Document) => {
            Err(format!("{}: got document {}", case.name, fetched.document.id))
        }
        (Err(error), Document) => Err(format!("{}: {error}", case.name)),
        (Err(error), Error(text)) => {
            Err(format!("{}: expected an error with {text:?}, got: {error}", case.name))
        }
    }
}

fn url_of(url: &str, server: &OddServer, full: Option<&FullBacklog>) -> String {
    match (url, full) {
        (_, Some(full)) => format!("http://{}/", full.address),
        (url, None) if url.starts_with("http:/") && !url.starts_with("http://") => {
            format!("http://{}{}", server.plain, &url["http:".len()..])
        }
        (url, None) if url.starts_with("https:/") => {
            format!("https://{}{}", server.tls, &url["https:".len()..])
        }
        (url, None) => url.to_owned(),
    }
}

fn agent(runtime: &Arc<dyn Runtime>, server: &OddServer, timeout: &Timeout) -> Agent {
    let some = Some(Duration::from_millis(200));
    let settings: ConfigBuilder<AgentScope> = Agent::config_builder()
        .tls_config(server.trusted())
        .input_buffer_size(16 * 1024)
        .output_buffer_size(4 * 1024);
    let settings = match timeout {
        Timeout::None => settings,
        Timeout::Response => settings.timeout_recv_response(some),
        Timeout::Body => settings.timeout_recv_body(some),
        Timeout::Global => settings.timeout_global(some),
        Timeout::Connect => settings.timeout_connect(some),
        Timeout::Short => settings.timeout_recv_response(Some(Duration::from_micros(300))),
    };
    plug::agent(runtime, settings.build())
}

/// A listener that never accepts and whose queue is full, so that a connection neither comes about
/// nor is refused.
struct FullBacklog {
    address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl FullBacklog {
    fn new_if(wanted: bool) -> Option<Self> {
        use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
        if !wanted {
            return None;
        }
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        listen(&socket, 0).expect("a bound socket listens");
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().expect("a bound socket has an address");
        // A backlog of 0 holds one; the next ones are left to wait until they give up.
        let short = Duration::from_millis(50);
        let waiting = (0..3).filter_map(|_| TcpStream::connect_timeout(&address, short).ok());
        Some(FullBacklog { address, _waiting: waiting.collect(), _listener: listener })
    }
}
