//! The cases, and what must come of each on every runtime.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use blocking_style::{Runtime, fetch, plug};
use job::{FetchError, Fetched};
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use crate::OddServer;

/// One thing that a server does.
pub struct Case {
    /// What it is about.
    pub name: &'static str,
    /// What it takes of a client to meet it.
    asks: Asks,
    /// Where, as `http:/path` or `https:/path` on the odd server, or a whole URL.
    url: &'static str,
    /// Which time-out the client sets.
    timeout: Timeout,
    /// What must come of it.
    expect: Expect,
}

/// What a client can do, each with all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asks {
    /// One GET, answered with a `Content-Length`: the raw clients.
    Exchange,
    /// All that HTTP/1.1 does to a body: hyper.
    Http,
    /// TLS, compression, redirects and time-outs: ureq.
    Library,
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

use Asks::{Exchange, Http, Library};
use Expect::{Document, Error};

const fn case(
    asks: Asks,
    name: &'static str,
    url: &'static str,
    timeout: Timeout,
    expect: Expect,
) -> Case {
    Case { name, asks, url, timeout, expect }
}

/// Every case, in the order in which they run. The first two share a connection.
pub const CASES: &[Case] = &[
    case(Exchange, "plain", "http:/plain", Timeout::None, Document),
    case(Exchange, "plain, the connection used again", "http:/plain", Timeout::None, Document),
    case(Exchange, "250 KB", "http:/big", Timeout::None, Document),
    case(Http, "chunked", "http:/chunked", Timeout::None, Document),
    case(Library, "gzip", "http:/gzip", Timeout::None, Document),
    case(Exchange, "bytes that drip", "http:/drip", Timeout::None, Document),
    case(Library, "redirect", "http:/redirect", Timeout::None, Document),
    case(Http, "sixty header fields", "http:/many-headers", Timeout::None, Document),
    case(Exchange, "JSON nested 120 deep", "http:/deep", Timeout::None, Document),
    case(Http, "the body ends with the connection", "http:/close", Timeout::None, Document),
    case(Exchange, "not found", "http:/nowhere", Timeout::None, Error("status: 404")),
    case(Exchange, "cut off", "http:/cut", Timeout::None, Error("disconnect")),
    case(Exchange, "reset", "http:/reset", Timeout::None, Error("reset by peer")),
    case(Exchange, "garbage", "http:/garbage", Timeout::None, Error("protocol")),
    case(Exchange, "not JSON", "http:/not-json", Timeout::None, Error("expected value")),
    case(Library, "TLS", "https:/plain", Timeout::None, Document),
    case(Library, "TLS, the connection used again", "https:/plain", Timeout::None, Document),
    case(Library, "TLS, 250 KB", "https:/big", Timeout::None, Document),
    case(Library, "TLS, chunked", "https:/chunked", Timeout::None, Document),
    case(Library, "TLS, gzip", "https:/gzip", Timeout::None, Document),
    case(Library, "TLS, JSON nested 120 deep", "https:/deep", Timeout::None, Document),
    case(
        Library,
        "time-out of the response",
        "http:/silent",
        Timeout::Response,
        Error("receive response"),
    ),
    case(
        Library,
        "time-out of the body",
        "http:/silent-body",
        Timeout::Body,
        Error("receive body"),
    ),
    case(Library, "time-out of all", "http:/silent", Timeout::Global, Error("global")),
    case(Library, "time-out of all, TLS", "https:/silent", Timeout::Global, Error("global")),
    case(
        Library,
        "time-out below a millisecond",
        "http:/silent",
        Timeout::Short,
        Error("receive response"),
    ),
    case(Exchange, "refused", "http://127.0.0.1:1/", Timeout::None, Error("refused")),
    case(Library, "a name that cannot be", "http://a..b/", Timeout::None, Error("host not found")),
    case(Library, "a full backlog", "full", Timeout::Connect, Error("connect")),
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
        wrong.extend(check(case, fetch(&agent, &url)).err());
        if index == 1 && server.connections() != connections + 1 {
            wrong.push("plain, twice: the connection was not used again".to_owned());
        }
    }
    wrong
}

/// Runs every case that asks for no more than `asks`, with any client. What must come of a case is
/// a document or an error; its words are the client's own.
pub fn run_up_to(
    asks: Asks,
    server: &OddServer,
    mut fetch: impl FnMut(&str) -> Result<Fetched, FetchError>,
) -> Vec<String> {
    let cases = CASES.iter().filter(|case| case.asks <= asks);
    cases
        .filter_map(|case| {
            let fetched = fetch(&url_of(case.url, server, None));
            match (fetched, &case.expect) {
                (Ok(fetched), Document) if fetched.document.id == 1 => None,
                (Err(_), Error(_)) => None,
                (got, _) => Some(format!("{}: got {got:?}", case.name)),
            }
        })
        .collect()
}

fn check(case: &Case, fetched: Result<Fetched, FetchError>) -> Result<(), String> {
    match (fetched, &case.expect) {
        (Ok(fetched), Document) if fetched.document.id == 1 => Ok(()),
        (Err(error), Error(text)) if error.why.to_lowercase().contains(text) => Ok(()),
        (got, Document) => Err(format!("{}: expected a document, got {got:?}", case.name)),
        (got, Error(text)) => {
            Err(format!("{}: expected an error with {text:?}, got {got:?}", case.name))
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
