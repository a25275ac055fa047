//! What is in flight, as a row of blocks: one a document while a lane runs, one a moment afterwards.

use std::time::Duration;

/// How many requests were in flight at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flight {
    /// When the origin was asked, from the lane's start.
    pub at: Duration,
    /// How many there were.
    pub count: u64,
}

/// How far a lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Documents served.
    pub done: u64,
    /// Requests in flight now.
    pub in_flight: u64,
    /// All documents.
    pub documents: u64,
}

/// A cell for each document, or for several where there is no room: done, in flight, to come.
pub fn cells(progress: Progress, room: usize) -> [String; 3] {
    let Progress { done, in_flight, documents } = progress;
    let all = usize::try_from(documents).unwrap_or(usize::MAX).min(room);
    let share = |count: u64| {
        let cells = count.min(documents) as u128 * all as u128 / u128::from(documents.max(1));
        usize::try_from(cells).expect("it is no more than the room")
    };
    let done = share(done);
    // One that is in flight is seen, however many documents a cell stands for.
    let flying = share(in_flight).max(usize::from(in_flight > 0)).min(all - done);
    ["█".repeat(done), "▓".repeat(flying), "·".repeat(all - done - flying)]
}

/// How many were in flight over time, as the height of a block: `room` of them are as long as
/// `scale`, and the highest is `most`.
pub fn over_time(
    flights: &[Flight],
    wall: Duration,
    scale: Duration,
    most: u64,
    room: usize,
) -> String {
    let column = scale.as_secs_f64().max(1e-9) / room.max(1) as f64;
    // A column begins where the one before it ends, and what takes any time takes a column.
    let columns = ((wall.as_secs_f64() / column).ceil() as usize).clamp(1, room.max(1));
    let count = |index: usize| {
        let (from, to) = (index as f64 * column, (index + 1) as f64 * column);
        let at = |flight: &&Flight| flight.at.as_secs_f64();
        let within = flights.iter().filter(|flight| (from..to).contains(&at(flight)));
        // Where nobody asked, it is as it was before; ahead of the first look, as it was found.
        let before = || flights.iter().take_while(|flight| at(flight) < to).last();
        let seen = within.max_by_key(|flight| flight.count).or_else(before);
        seen.or(flights.first()).map_or(0, |flight| flight.count)
    };
    (0..columns).map(|index| block(count(index), most)).collect()
}

/// A block as high as `count` is of `most`.
fn block(count: u64, most: u64) -> char {
    const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let eighths = (count.min(most) * 8).div_ceil(most.max(1));
    HEIGHTS[usize::try_from(eighths).expect("eight at most")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flights(seen: &[(u64, u64)]) -> Vec<Flight> {
        let flight =
            |(ms, count): &(u64, u64)| Flight { at: Duration::from_millis(*ms), count: *count };
        seen.iter().map(flight).collect()
    }

    fn drawn(seen: &[(u64, u64)], wall_ms: u64) -> String {
        let (wall, scale) = (Duration::from_millis(wall_ms), Duration::from_secs(1));
        over_time(&flights(seen), wall, scale, 30, 10)
    }

    #[test]
    fn a_document_is_a_cell() {
        let cells = |done, in_flight, room| {
            cells(Progress { done, in_flight, documents: 10 }, room).concat()
        };
        assert_eq!(cells(0, 0, 80), "··········");
        assert_eq!(cells(3, 1, 80), "███▓······");
        assert_eq!(cells(0, 10, 80), "▓▓▓▓▓▓▓▓▓▓");
        assert_eq!(cells(10, 0, 80), "██████████");
        assert_eq!(cells(4, 1, 5), "██▓··", "where a cell is two, one in flight is seen");
        assert_eq!(cells(9, 1, 5), "████▓");
        assert_eq!(cells(11, 3, 5), "█████", "counts that another moment's request has moved on");
    }

    #[test]
    fn one_after_the_other_is_long_and_low() {
        let seen: Vec<_> = (0..33).map(|index| (30 * index, 1)).collect();
        assert_eq!(drawn(&seen, 1_000), "▁▁▁▁▁▁▁▁▁▁");
    }

    #[test]
    fn all_at_once_is_short_and_high() {
        assert_eq!(drawn(&[(30, 30), (60, 30), (90, 30)], 108), "██");
        assert_eq!(drawn(&[(30, 30), (130, 12)], 190), "█▄");
    }

    #[test]
    fn what_was_not_looked_at_is_as_it_was() {
        assert_eq!(drawn(&[(250, 15), (550, 30)], 700), "▄▄▄▄▄██");
        assert_eq!(drawn(&[], 50), " ");
        assert_eq!(drawn(&[(0, 0), (150, 30)], 200), " █");
    }

    #[test]
    fn nothing_is_drawn_beyond_the_room() {
        assert_eq!(drawn(&[(0, 30)], 5_000).chars().count(), 10);
        assert_eq!(over_time(&[], Duration::ZERO, Duration::ZERO, 0, 0), " ");
    }
}
