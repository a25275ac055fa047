//! What the network stack counts, for the whole machine.

use std::fs;

use serde::{Deserialize, Serialize};

/// Counters of `/proc/net/netstat` that a sample added to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// `ListenOverflows`: connections that found a listen queue full.
    pub listen_overflows: u64,
    /// `TCPSynRetrans`: connections that had to be asked for again.
    pub syn_retransmits: u64,
}

impl Network {
    /// The counters of the whole machine since its start; zeroes where they cannot be read.
    pub fn now() -> Self {
        Self::parse(&fs::read_to_string("/proc/net/netstat").unwrap_or_default())
    }

    /// What was added since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Network {
            listen_overflows: self.listen_overflows.saturating_sub(earlier.listen_overflows),
            syn_retransmits: self.syn_retransmits.saturating_sub(earlier.syn_retransmits),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_name_and_subtracted() {
        let text = "TcpExt: SyncookiesSent ListenOverflows TCPSynRetrans\n\
                    TcpExt: 9 5 7\nIpExt: ListenOverflows\nIpExt: 1\n";
        let later = Network::parse(text);
        let earlier = Network { listen_overflows: 2, syn_retransmits: 7 };
        let added = Network { listen_overflows: 3, syn_retransmits: 0 };
        assert_eq!(later.since(earlier), added);
        assert_eq!(Network::parse(""), Network::default());
    }
}
