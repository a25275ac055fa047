//! Requests that are due at a rate, whether or not anything has come.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use job::Arrivals;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::alarm::Alarm;
use crate::closed::exchange;
use crate::connection::Connection;
use crate::order::Blocker;
use crate::seen::Seen;
use crate::site::Site;

/// A schedule, and what it may take.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub arrivals: Arrivals,
    pub for_how_long: Duration,
    pub connections_most: u64,
    pub blocker: Option<Blocker>,
}

/// What requests share: connections that are between two of them.
#[derive(Debug)]
struct Pool {
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Schedule {
    /// How many requests are due, the one that blocks left out.
    pub fn requests(&self) -> u64 {
        let millis = u64::try_from(self.for_how_long.as_millis()).unwrap_or(u64::MAX);
        (self.arrivals.rate.saturating_mul(millis) / 1_000).max(1)
    }

    /// Sends each request when it is due; they are through when the set is empty.
    pub async fn send(
        &self,
        start: Instant,
        site: &Arc<Site>,
        seen: &Arc<Seen>,
    ) -> io::Result<JoinSet<()>> {
        let (alarm, mut tasks) = (Alarm::new()?, JoinSet::new());
        let most = usize::try_from(self.connections_most).unwrap_or(usize::MAX);
        let permits = Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS));
        let pool = Arc::new(Pool { idle: Mutex::default(), permits });
        if let Some(blocker) = &self.blocker {
            tasks.spawn(block(site.clone(), seen.clone(), start, blocker.clone()));
        }
        for (number, due) in (0..).zip(self.arrivals.schedule(self.requests())) {
            let due = start + due;
            alarm.until(due).await?;
            tasks.spawn(request(site.clone(), seen.clone(), pool.clone(), number, due));
        }
        Ok(tasks)
    }
}

async fn request(site: Arc<Site>, seen: Arc<Seen>, pool: Arc<Pool>, number: u64, due: Instant) {
    let permit = pool.permits.acquire().await;
    let begun = Instant::now();
    let mut kept = pool.lock().pop();
    let came = exchange(&site, &seen, &mut kept, number).await;
    pool.lock().extend(kept);
    drop(permit);
    seen.came_when_due(due, begun, &came);
}

/// The request that keeps its handler busy, on a connection of its own.
async fn block(site: Arc<Site>, seen: Arc<Seen>, start: Instant, blocker: Blocker) {
    let due = start + Duration::from_millis(blocker.after_ms);
    tokio::time::sleep_until(due.into()).await;
    let begun = Instant::now();
    let Ok(mut connection) = Connection::open(&site).await else { return };
    if connection.ask(&site.request(&blocker.path)).await.is_ok() {
        seen.blocked(begun.elapsed());
    }
}

impl Pool {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
