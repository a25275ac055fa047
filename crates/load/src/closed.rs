//! Clients who ask again when their last answer has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::seen::Seen;
use crate::site::Site;

/// Starts all of them; `asked` counts their requests, of which none begins after `for_how_long`.
pub fn clients(
    site: &Arc<Site>,
    seen: &Arc<Seen>,
    asked: &Arc<AtomicU64>,
    clients: u64,
    for_how_long: Duration,
) -> JoinSet<()> {
    let end = Instant::now() + for_how_long;
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        tasks.spawn(client(site.clone(), seen.clone(), asked.clone(), end));
    }
    tasks
}

async fn client(site: Arc<Site>, seen: Arc<Seen>, asked: Arc<AtomicU64>, end: Instant) {
    let mut kept = None;
    while Instant::now() < end {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let came = exchange(&site, &seen, &mut kept, number).await;
        let has_failed = came.is_err();
        seen.came(begun, &came);
        if has_failed {
            // A server that refuses is not to be asked a thousand times a second.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// One request on the connection that was kept, or on a new one.
pub async fn exchange(
    site: &Site,
    seen: &Seen,
    kept: &mut Option<Connection>,
    number: u64,
) -> Result<Instant, String> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => {
            seen.opened();
            Connection::open(site).await?
        }
    };
    let moments = connection.exchange(site.exchange(number)).await?;
    if connection.is_kept() {
        *kept = Some(connection);
    }
    Ok(moments.last_byte)
}
