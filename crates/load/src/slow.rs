//! Clients who send one byte of their request a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::site::Site;

/// How long they take over one byte.
const A_BYTE: Duration = Duration::from_secs(1);

/// Starts so many, who go on until the set is dropped. All are connected when this returns, and each
/// has sent its first byte.
pub async fn clients(site: &Arc<Site>, clients: u64) -> Result<JoinSet<()>, String> {
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let mut connection = Connection::open(site).await?;
        let request = site.exchange(number).request.clone();
        connection.send(&request[..1]).await?;
        tasks.spawn(async move {
            for byte in &request[1..] {
                tokio::time::sleep(A_BYTE).await;
                // A server that has lost its patience with it has a right to.
                if connection.send(std::slice::from_ref(byte)).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(tasks)
}
