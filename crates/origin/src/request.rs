//! What a request asks for: its method and target, read without allocating.

use std::borrow::Cow;
use std::time::Duration;

/// The longest delay, the longest call that blocks and the most CPU that a request may ask for,
/// microseconds: a minute.
pub const MICROSECONDS_MAX: u64 = 60_000_000;

const GENERATED_PREFIX: &str = "/api/v2/pokemon/";
const FOLDER_PREFIX: &str = "/files/api/v2/pokemon/";

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A document.
    Document(Wanted),
    /// What the origin has counted.
    Stats,
    /// To count from zero.
    StatsReset,
    /// How to use the origin.
    Help,
}

/// A document, and how it is to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Where the document comes from.
    pub source: Source,
    /// Its id.
    pub id: u32,
    /// How long to wait first.
    pub delay: Duration,
    /// How long to block the thread then.
    pub block: Duration,
    /// How much CPU to burn after that.
    pub burn: Duration,
    /// Whether to close the connection after it.
    pub close: bool,
}

/// Where a document comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The generated documents of this size, or of the first prepared size.
    Generated {
        /// What `bytes=` says.
        bytes: Option<usize>,
    },
    /// The folder.
    Folder,
}

/// Why a request is not served: a status, and one line for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 400, 404 or 405.
    pub status: Status,
    /// Why, without a line end.
    pub why: Cow<'static, str>,
}

/// The statuses of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The query cannot be understood.
    BadRequest,
    /// There is no such thing.
    NotFound,
    /// It is there, but not for this method; these are.
    MethodNotAllowed {
        /// The value of the `Allow` header.
        allow: &'static str,
    },
}

impl Refusal {
    /// There is no such thing.
    pub fn not_found(why: impl Into<Cow<'static, str>>) -> Self {
        Refusal { status: Status::NotFound, why: why.into() }
    }

    /// For a server that cannot tell a length without sending a body.
    pub fn head() -> Self {
        let status = Status::MethodNotAllowed { allow: "GET" };
        Refusal { status, why: "this server cannot answer HEAD; send GET".into() }
    }

    fn bad(why: String) -> Self {
        Refusal { status: Status::BadRequest, why: why.into() }
    }
}

/// Reads `method` and `target`, the path with its query.
///
/// # Errors
///
/// Nothing here answers to it.
pub fn route(method: &str, target: &str) -> Result<Route, Refusal> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (route, allow) = if let Some(id) = path.strip_prefix(GENERATED_PREFIX) {
        (document(Source::Generated { bytes: None }, id, query), "GET, HEAD")
    } else if let Some(id) = path.strip_prefix(FOLDER_PREFIX) {
        (document(Source::Folder, id, query), "GET, HEAD")
    } else {
        match path {
            "/" => (Ok(Route::Help), "GET, HEAD"),
            "/stats" => (Ok(Route::Stats), "GET, HEAD"),
            "/stats/reset" => (Ok(Route::StatsReset), "POST"),
            _ => return Err(Refusal::not_found("nothing here by that path; GET / lists them")),
        }
    };
    if allow.split(", ").any(|allowed| allowed == method) {
        return route;
    }
    let why = format!("this answers to {allow} only");
    Err(Refusal { status: Status::MethodNotAllowed { allow }, why: why.into() })
}

fn document(source: Source, id: &str, query: &str) -> Result<Route, Refusal> {
    let id = number(id)
        .and_then(|id| u32::try_from(id).ok())
        .ok_or_else(|| Refusal::not_found("a document's id is a whole number below 2^32"))?;
    let mut wanted = Wanted::at_once(source, id);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        wanted.set(key, value)?;
    }
    Ok(Route::Document(wanted))
}

impl Wanted {
    /// A document without anything before it or after it.
    pub fn at_once(source: Source, id: u32) -> Self {
        let [delay, block, burn] = [Duration::ZERO; 3];
        Wanted { source, id, delay, block, burn, close: false }
    }

    /// Takes one pair of the query in. A key that is not known is refused: a delay misspelt would
    /// be a delay not given.
    fn set(&mut self, key: &str, value: &str) -> Result<(), Refusal> {
        match (key, &mut self.source) {
            ("delay_us", _) => self.delay = in_turn(key, value, self.id)?,
            ("block_us", _) => self.block = in_turn(key, value, self.id)?,
            ("burn_us", _) => self.burn = in_turn(key, value, self.id)?,
            ("close", _) => self.close = flag(key, value)?,
            ("bytes", Source::Generated { bytes }) => *bytes = Some(size(key, value)?),
            ("bytes", Source::Folder) => {
                return Err(Refusal::bad("bytes= is for generated documents only".to_owned()));
            }
            _ => {
                let known = "bytes, delay_us, block_us, burn_us and close";
                return Err(Refusal::bad(format!("{key:?} is not among the keys {known}")));
            }
        }
        Ok(())
    }
}

fn microseconds(key: &str, value: &str) -> Result<Duration, Refusal> {
    match number(value) {
        Some(count @ 0..=MICROSECONDS_MAX) => Ok(Duration::from_micros(count)),
        _ => Err(Refusal::bad(format!(
            "{key}= takes microseconds from 0 to {MICROSECONDS_MAX}, not {value:?}"
        ))),
    }
}

/// The one of several, separated by commas, whose turn it is with this id: the first with the id 1.
fn in_turn(key: &str, value: &str, id: u32) -> Result<Duration, Refusal> {
    let all: Result<Vec<_>, _> = value.split(',').map(|one| microseconds(key, one)).collect();
    let all = all?;
    Ok(all[(id.max(1) - 1) as usize % all.len()])
}

fn size(key: &str, value: &str) -> Result<usize, Refusal> {
    number(value)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| Refusal::bad(format!("{key}= takes a number of bytes, not {value:?}")))
}

fn flag(key: &str, value: &str) -> Result<bool, Refusal> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Refusal::bad(format!("{key}= takes 0 or 1, not {value:?}"))),
    }
}

/// Digits and nothing else: `parse` would take a plus sign, too.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(method: &str, target: &str) -> (Status, String) {
        let refusal = route(method, target).unwrap_err();
        (refusal.status, refusal.why.into_owned())
    }

    #[test]
    fn a_plain_document() {
        let wanted = Wanted::at_once(Source::Generated { bytes: None }, 25);
        for target in ["/api/v2/pokemon/25", "/api/v2/pokemon/25?", "/api/v2/pokemon/25?close=0&"] {
            assert_eq!(route("GET", target), Ok(Route::Document(wanted)));
            assert_eq!(route("HEAD", target), Ok(Route::Document(wanted)));
        }
    }

    #[test]
    fn a_document_with_everything() {
        let target = "/api/v2/pokemon/7?bytes=250000&delay_us=500&block_us=40&burn_us=20&close=1";
        let wanted = Wanted {
            source: Source::Generated { bytes: Some(250_000) },
            id: 7,
            delay: Duration::from_micros(500),
            block: Duration::from_micros(40),
            burn: Duration::from_micros(20),
            close: true,
        };
        assert_eq!(route("GET", target), Ok(Route::Document(wanted)));
    }

    #[test]
    fn several_numbers_are_taken_in_turn() {
        let taken = [0, 1, 2, 3].map(|id| {
            let target = format!("/api/v2/pokemon/{id}?delay_us=20,30&block_us=5,0&burn_us=0,1,2");
            let Ok(Route::Document(wanted)) = route("GET", &target) else { panic!("{target}") };
            [wanted.delay, wanted.block, wanted.burn].map(|duration| duration.as_micros())
        });
        assert_eq!(taken, [[20, 5, 0], [20, 5, 0], [30, 0, 1], [20, 5, 2]]);
    }

    #[test]
    fn a_document_of_the_folder() {
        let Ok(Route::Document(wanted)) = route("GET", "/files/api/v2/pokemon/1?delay_us=1") else {
            panic!("this is a document");
        };
        assert_eq!((wanted.source, wanted.id), (Source::Folder, 1));
        let (status, why) = refusal("GET", "/files/api/v2/pokemon/1?bytes=1500");
        assert_eq!(
            (status, why.as_str()),
            (Status::BadRequest, "bytes= is for generated documents only")
        );
    }

    #[test]
    fn the_other_routes() {
        assert_eq!(route("GET", "/"), Ok(Route::Help));
        assert_eq!(route("GET", "/stats"), Ok(Route::Stats));
        assert_eq!(route("POST", "/stats/reset"), Ok(Route::StatsReset));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for target in [
            "",
            "*",
            "/nowhere",
            "/api/v2/pokemon",
            "/api/v2/pokemon/",
            "/api/v2/pokemon/+1",
            "/api/v2/pokemon/pikachu",
            "/api/v2/pokemon/4294967296",
            "/api/v2/pokemon/1/",
        ] {
            assert_eq!(refusal("GET", target).0, Status::NotFound, "{target}");
        }
    }

    #[test]
    fn a_bad_query_is_told_in_one_line() {
        let why = |query: &str| {
            let (status, why) = refusal("GET", &format!("/api/v2/pokemon/1?{query}"));
            assert_eq!(status, Status::BadRequest);
            why
        };
        assert_eq!(
            why("delay_us=soon"),
            "delay_us= takes microseconds from 0 to 60000000, not \"soon\""
        );
        assert!(why("burn_us=60000001").starts_with("burn_us= takes microseconds"));
        assert!(why("block_us=60000001").starts_with("block_us= takes microseconds"));
        assert!(why("delay_us").ends_with("not \"\""));
        // Whosever turn it is.
        assert!(why("burn_us=1,x").ends_with("not \"x\""));
        assert_eq!(why("close=yes"), "close= takes 0 or 1, not \"yes\"");
        assert_eq!(why("bytes=-1"), "bytes= takes a number of bytes, not \"-1\"");
        assert!(why("delay=1").starts_with("\"delay\" is not among the keys"));
    }

    #[test]
    fn another_method_is_told_which_would_do() {
        let (status, why) = refusal("DELETE", "/api/v2/pokemon/1");
        assert_eq!(status, Status::MethodNotAllowed { allow: "GET, HEAD" });
        assert_eq!(why, "this answers to GET, HEAD only");
        let (status, _) = refusal("GET", "/stats/reset");
        assert_eq!(status, Status::MethodNotAllowed { allow: "POST" });
    }

    proptest! {
        #[test]
        fn nothing_panics_and_every_reason_is_one_line(
            method in "GET|HEAD|POST|\\PC*",
            target in "(/api/v2/pokemon/|/files/api/v2/pokemon/|/stats)?\
                       .{0,8}(\\?((delay_us|block_us|burn_us|bytes|close|.{0,4})=?.{0,12}&?){0,4})?",
        ) {
            if let Err(refusal) = route(&method, &target) {
                prop_assert!(!refusal.why.contains('\n'));
            }
        }

        #[test]
        fn what_is_asked_for_is_what_is_read(
            id: u32,
            bytes in proptest::option::of(any::<u32>()),
            delay in 0..=MICROSECONDS_MAX,
            block in 0..=MICROSECONDS_MAX,
            burn in 0..=MICROSECONDS_MAX,
            close: bool,
        ) {
            let bytes = bytes.map(|bytes| bytes as usize);
            let mut target = format!("/api/v2/pokemon/{id}?delay_us={delay}&block_us={block}");
            target += &format!("&burn_us={burn}&close={}", u8::from(close));
            target += &bytes.map(|bytes| format!("&bytes={bytes}")).unwrap_or_default();
            let wanted = Wanted {
                source: Source::Generated { bytes },
                id,
                delay: Duration::from_micros(delay),
                block: Duration::from_micros(block),
                burn: Duration::from_micros(burn),
                close,
            };
            prop_assert_eq!(route("GET", &target), Ok(Route::Document(wanted)));
        }
    }
}
