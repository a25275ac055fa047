//! What the network stack counts, for the whole machine.

use std::fs;

use serde::{Deserialize, Serialize};

/// What a sample met, and what it added to the counters of `/proc/net/netstat`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// `ListenOverflows`: connections that found a listen queue full.
    pub listen_overflows: u64,
    /// `TCPSynRetrans`: connections that had to be asked for again.
    pub syn_retransmits: u64,
    /// Connections in `TIME_WAIT` when the sample began, of `/proc/net/sockstat`. Each keeps a port
    /// from being found at once for a minute, and finding one is part of connecting.
    #[serde(default)]
    pub time_wait: u64,
}

impl Network {
    /// The counters of the whole machine since its start; zeroes where they cannot be read.
    pub fn now() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let time_wait = time_wait(&read("/proc/net/sockstat"));
        Network { time_wait, ..Self::parse(&read("/proc/net/netstat")) }
    }

    /// What was met at `earlier`, and added since.
    pub fn since(self, earlier: Self) -> Self {
        Network {
            listen_overflows: self.listen_overflows.saturating_sub(earlier.listen_overflows),
            syn_retransmits: self.syn_retransmits.saturating_sub(earlier.syn_retransmits),
            time_wait: earlier.time_wait,
        }
    }

    /// One line of names, then one of numbers.
    fn parse(text: &str) -> Self {
        let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
        let names = lines.next().unwrap_or_default().split_whitespace();
        let numbers = lines.next().unwrap_or_default().split_whitespace();
        let mut network = Network::default();
        for (name, number) in names.zip(numbers) {
            match name {
                "ListenOverflows" => network.listen_overflows = number.parse().unwrap_or(0),
                "TCPSynRetrans" => network.syn_retransmits = number.parse().unwrap_or(0),
                _ => {}
            }
        }
        network
    }
}

/// The number after `tw` in `TCP: inuse 5 orphan 0 tw 12 alloc 7 mem 1`.
fn time_wait(sockstat: &str) -> u64 {
    let tcp = sockstat.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
    let mut words = tcp.split_whitespace().skip_while(|word| *word != "tw").skip(1);
    words.next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_name_and_subtracted() {
        let text = "TcpExt: SyncookiesSent ListenOverflows TCPSynRetrans\n\
                    TcpExt: 9 5 7\nIpExt: ListenOverflows\nIpExt: 1\n";
        let later = Network::parse(text);
        let earlier = Network { listen_overflows: 2, syn_retransmits: 7, time_wait: 12 };
        let added = Network { listen_overflows: 3, syn_retransmits: 0, time_wait: 12 };
        assert_eq!(later.since(earlier), added);
        assert_eq!(Network::parse(""), Network::default());
    }

    #[test]
    fn connections_in_time_wait_are_found() {
        let sockstat = "sockets: used 9\nTCP: inuse 5 orphan 0 tw 12 alloc 7 mem 1\nUDP: inuse 1\n";
        assert_eq!(time_wait(sockstat), 12);
        assert_eq!(time_wait(""), 0);
    }
}
