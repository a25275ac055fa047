//! Connections that stay.

use crate::connection::Connection;
use crate::order::Held;
use crate::site::Site;

/// As many connections as were asked for by now.
#[derive(Debug, Default)]
pub struct Connections(Vec<Connection>);

impl Connections {
    /// Opens more, up to `count`: each has had an answer, or is waiting for one.
    pub async fn grow(&mut self, site: &Site, count: u64, waiting: bool) -> Result<Held, String> {
        while (self.0.len() as u64) < count {
            let exchange = site.exchange(self.0.len() as u64);
            let mut connection = Connection::open(site).await?;
            match waiting {
                true => connection.send(&exchange.request).await?,
                false => drop(connection.exchange(exchange).await?),
            }
            self.0.push(connection);
        }
        let open = self.0.iter().filter(|connection| connection.is_open()).count();
        Ok(Held { connections: self.0.len() as u64, open: open as u64 })
    }
}
