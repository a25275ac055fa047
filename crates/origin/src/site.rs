//! What every server serves: the documents, the counters and the help.

use crate::corpora::Corpora;
use crate::options::Server;
use crate::stats::Counters;

/// All that a server needs to know to answer.
#[derive(Debug)]
pub struct Site {
    /// The documents.
    pub corpora: Corpora,
    /// The counters.
    pub counters: Counters,
    /// The server that answers.
    pub server: Server,
}

impl Site {
    /// What `GET /` says.
    pub fn help(&self) -> String {
        format!("{HELP}\nServed by {}{}", self.server.name(), self.server.limits())
    }

    /// What `GET /stats` says.
    pub fn stats(&self) -> String {
        let stats = self.counters.stats();
        serde_json::to_string(&stats).expect("stats have no map with keys other than strings")
    }
}

const HELP: &str = "\
The origin of a concurrency laboratory: documents to fetch, as slow as you ask.

GET /api/v2/pokemon/{id}        a generated document
GET /files/api/v2/pokemon/{id}  a document of the folder given with --corpus
    ?bytes=N     of this size, one of those given with --bytes (generated documents only)
    ?delay_us=N  after waiting so many microseconds; the header x-delay-us says how many it was
    ?block_us=N  then after a call that blocks the thread for so many
    ?burn_us=N   and then after so many of CPU;
                 N,M,... are taken in turn, by the document's id
    ?close=1     and close the connection
GET /stats                      what has been counted, as JSON
POST /stats/reset               count from zero
";
