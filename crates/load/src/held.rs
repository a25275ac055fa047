//! Connections that stay.

use crate::connection::Connection;
use crate::order::Held;
use crate::site::Site;

/// As many connections as were asked for by now.
#[derive(Debug, Default)]
pub struct Connections {
    opened: u64,
    kept: Vec<Connection>,
}

impl Connections {
    /// Opens more, up to `count`: each has had an answer, or is waiting for one.
    pub async fn grow(&mut self, site: &Site, count: u64, waiting: bool) -> Result<Held, String> {
        while self.opened < count {
            let exchange = site.exchange(self.opened);
            let mut connection = Connection::open(site).await?;
            self.opened += 1;
            match waiting {
                true => connection.send(&exchange.request).await?,
                false => drop(connection.exchange(exchange).await?),
            }
            // Who is told that the server closes closes as well: some wait for that.
            if waiting || connection.is_kept() {
                self.kept.push(connection);
            }
        }
        let open = self.kept.iter().filter(|connection| connection.is_open()).count();
        Ok(Held { connections: self.opened, open: open as u64 })
    }
}
