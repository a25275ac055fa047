//! The other side of an exchange: the requests of one connection, without I/O.
//!
//! ```text
//!   stream ──► spare() ► filled(n) ──► head() ──► method, target, manner
//!                 ▲                                   │
//!                 └─── skip_body() until it is gone ◄─┘      then head() again
//! ```
//!
//! Bodies are for nobody here. One that is short is read past, so that the next request begins where
//! it should; behind a longer one the connection has to close.
//!
//! ```
//! use exchange::server::Requests;
//!
//! let mut requests = Requests::default();
//! let bytes = b"GET /a?b=1 HTTP/1.1\r\nHost: origin\r\n\r\n";
//! requests.spare()[..bytes.len()].copy_from_slice(bytes);
//! requests.filled(bytes.len());
//! let head = requests.head().unwrap().unwrap();
//! assert_eq!((head.method, head.target), ("GET", "/a?b=1"));
//! assert!(head.manner.keep_alive);
//! ```

use httparse::Status;

mod body;
mod head;

pub use head::{Head, Manner, Refused};

use body::Body;
use head::{read_head, refused, too_large};

/// Room for most requests; what an idle connection keeps.
const FIRST_BUFFER_BYTES: usize = 1024;

/// The most bytes of a head.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most fields of a head, which is hyper's limit, too.
pub const FIELDS_MAX: usize = 100;

/// The longest body that is read past.
pub const SKIPPED_BYTES_MAX: u64 = 256 * 1024;

/// The requests of a connection as they arrive.
#[derive(Debug)]
pub struct Requests {
    buffer: Vec<u8>,
    /// What has come and was not taken yet: `buffer[begin..end]`.
    begin: usize,
    end: usize,
    /// Up to here, no line has ended since a head was last looked for: a head that comes byte by
    /// byte is parsed once a line, and not once a byte.
    searched: usize,
    body: Body,
    /// Bytes of the body that were read past.
    skipped: u64,
}

impl Default for Requests {
    fn default() -> Self {
        Requests { buffer: Vec::new(), begin: 0, end: 0, searched: 0, body: Body::Gone, skipped: 0 }
    }
}

impl Requests {
    /// Where the next bytes from the stream go; never empty.
    pub fn spare(&mut self) -> &mut [u8] {
        if self.begin > 0 {
            self.buffer.copy_within(self.begin..self.end, 0);
            self.searched = self.searched.saturating_sub(self.begin);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize((2 * self.buffer.len()).max(FIRST_BUFFER_BYTES), 0);
        }
        &mut self.buffer[self.end..]
    }

    /// Takes note of `count` more bytes in [`spare`](Requests::spare).
    pub fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// Whether nothing has come that was not taken.
    pub fn is_empty(&self) -> bool {
        self.begin == self.end
    }

    /// Whether the last request's body is gone, so that the next one begins here.
    pub fn is_in_step(&self) -> bool {
        self.body == Body::Gone
    }

    /// The next request's head, once all of it has come.
    ///
    /// # Errors
    ///
    /// It is none that can be answered.
    pub fn head(&mut self) -> Result<Option<Head<'_>>, Refused> {
        let Requests { buffer, begin, end, searched, body, skipped } = self;
        let fresh = (*searched).max(*begin);
        *searched = *end;
        let bytes = &buffer[*begin..*end];
        if !buffer[fresh..*end].contains(&b'\n') {
            return too_large(bytes).map_or(Ok(None), Err);
        }
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(bytes).map_err(|error| refused(error, bytes))? {
            Status::Complete(head_bytes) => {
                let (head, next) = read_head(&request)?;
                *begin += head_bytes;
                // What follows may be a whole request that has come with this one.
                *searched = *begin;
                (*body, *skipped) = (next, 0);
                Ok(Some(head))
            }
            Status::Partial => too_large(bytes).map_or(Ok(None), Err),
        }
    }

    /// Reads past the last head's body as far as it has come; true when nothing more is to be read of
    /// it. It is then gone, or the connection is not [in step](Requests::is_in_step) and has to close.
    pub fn skip_body(&mut self) -> bool {
        loop {
            let rest = &self.buffer[self.begin..self.end];
            let (taken, next) = match self.body {
                Body::Gone | Body::Unread => return true,
                _ if self.skipped > SKIPPED_BYTES_MAX => (0, Body::Unread),
                body => body.skip(rest),
            };
            self.begin += taken;
            self.skipped += taken as u64;
            if taken == 0 && self.body == next {
                // A line that does not end is no longer read than a head.
                let endless = self.end - self.begin > HEAD_BYTES_MAX;
                self.body = if endless { Body::Unread } else { next };
                return endless;
            }
            (self.body, self.searched) = (next, self.begin);
        }
    }
}

#[cfg(test)]
mod tests;
