//! Where the server is, and what it should answer.

use std::net::SocketAddr;

use exchange::Url;

use crate::order::Order;

/// What all clients share.
#[derive(Debug)]
pub struct Site {
    pub address: SocketAddr,
    authority: String,
    exchanges: Vec<Exchange>,
}

/// One document's request, as it is sent, and the body that it should bring.
#[derive(Debug)]
pub struct Exchange {
    pub request: Vec<u8>,
    pub body: Vec<u8>,
}

impl Site {
    pub fn of(order: &Order) -> Result<Self, String> {
        let url = Url::parse(&order.url).map_err(|error| format!("{}: {error}", order.url))?;
        let why = |_| format!("{} has no address and port in numbers", order.url);
        let address = url.authority.parse().map_err(why)?;
        if order.documents.is_empty() {
            return Err("there is no document to ask for".into());
        }
        let mut site = Site { address, authority: url.authority.to_owned(), exchanges: Vec::new() };
        for document in &order.documents {
            let path = order.path.replace("{id}", &document.id.to_string());
            let body = document.body.clone().into_bytes();
            site.exchanges.push(Exchange { request: site.request(&path), body });
        }
        Ok(site)
    }

    /// What asks for `path`.
    pub fn request(&self, path: &str) -> Vec<u8> {
        let mut request = Vec::new();
        Url { authority: &self.authority, path }.write_request(&mut request);
        request
    }

    /// The documents are asked for in turn.
    pub fn exchange(&self, number: u64) -> &Exchange {
        let count = self.exchanges.len() as u64;
        &self.exchanges[usize::try_from(number % count).expect("there are not as many documents")]
    }
}
