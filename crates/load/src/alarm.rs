//! A timer as exact as the kernel's, as something that tokio can wait for.

use std::io;
use std::time::Instant;

use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// tokio's own timer counts in milliseconds and rounds up, which would be most of what a fast server
/// takes.
#[derive(Debug)]
pub struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // SAFETY: an `OwnedFd` is open, names one file all its life, and is closed when it is dropped;
        // nobody else has this one, and it stays where it is until the alarm is dropped.
        let registered = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) };
        Ok(Alarm(registered?))
    }

    /// Waits until `moment`; not at all when it is past.
    pub async fn until(&self, moment: Instant) -> io::Result<()> {
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let never_again = Timespec::default();
        let it_value = Timespec::try_from(left).map_err(io::Error::other)?;
        let timer = Itimerspec { it_interval: never_again, it_value };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &timer)?;
        let read = |timer: &OwnedFd| Ok(rustix::io::read(timer, &mut [0; 8])?);
        self.0.async_io(Interest::READABLE, read).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const A_WHILE: Duration = Duration::from_millis(2);

    #[test]
    fn it_never_rings_early_and_not_at_all_for_what_is_past() {
        let runtime = lane_tokio::runtime::local().unwrap();
        runtime.block_on(async {
            let alarm = Alarm::new().unwrap();
            for _ in 0..3 {
                let moment = Instant::now() + A_WHILE;
                alarm.until(moment).await.unwrap();
                assert!(Instant::now() >= moment);
            }
            alarm.until(Instant::now() - A_WHILE).await.unwrap();
        });
    }
}
