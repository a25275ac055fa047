//! What a reader may take home: every sample as CSV, the summary as JSON.
//!
//! Both are in the page as they would be in a `.gz`, because a record has thousands of samples, and
//! every browser can unpack that by itself.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use harness::record::Recorded;
use harness::sample::Sample;
use maud::{Markup, html};
use serde::Serialize;

use super::validity::{gate, name};
use crate::stats::quantile;
use crate::summary::Summary;

pub(super) fn section(recorded: &Recorded, summary: &Summary) -> Markup {
    let summary = serde_json::to_string(summary).expect("a summary is made of JSON's types");
    html! {
        section #downloads aria-labelledby="downloads-head" {
            h2 #downloads-head { "Take it with you" }
            p {
                "Every sample of this record, void ones and warm-ups included, one row each; and all \
                 figures, comparisons and verdicts. Whole histograms are in the record's "
                code { "samples.jsonl" } "."
            }
            p.scripted.downloads {
                (download("samples.csv", "text/csv", &csv(&recorded.samples)))
                (download("summary.json", "application/json", &summary))
            }
            noscript { p.caution { "Downloads are unpacked by scripts; the record has the same." } }
        }
    }
}

fn download(file: &str, kind: &str, text: &str) -> Markup {
    let kib = text.len().div_ceil(1024);
    html! {
        button type="button" data-download=(file) data-kind=(kind) disabled { (file) " · " (kib) " KiB" }
        script type="application/gzip" data-file=(file) { (packed(text)) }
    }
}

/// Compressed, and in letters.
fn packed(text: &str) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    STANDARD.encode(written.expect("memory can be written to"))
}

/// One row a sample; its histograms as quantiles.
#[derive(Debug, Serialize)]
struct Row<'a> {
    number: u64,
    round: u32,
    warmup: bool,
    counts: bool,
    gate: String,
    why: &'a str,
    started_unix_ms: u64,
    workload: &'a str,
    documents: u64,
    concurrency: u64,
    rate: Option<u64>,
    client: String,
    placement: String,
    lane: &'a str,
    wall_ns: Option<u64>,
    process_wall_ns: u64,
    user_us: Option<u64>,
    system_us: Option<u64>,
    voluntary_switches: Option<u64>,
    involuntary_switches: Option<u64>,
    minor_faults: Option<u64>,
    major_faults: Option<u64>,
    rss_bytes_peak: Option<u64>,
    address_space_bytes_peak: Option<u64>,
    service_time_ns_p50: Option<u64>,
    service_time_ns_p90: Option<u64>,
    service_time_ns_p99: Option<u64>,
    service_time_ns_p99_9: Option<u64>,
    service_time_ns_max: Option<u64>,
    latency_ns_p50: Option<u64>,
    latency_ns_p90: Option<u64>,
    latency_ns_p99: Option<u64>,
    latency_ns_p99_9: Option<u64>,
    latency_ns_max: Option<u64>,
    sent_in_time: Option<u64>,
    origin_requests: Option<u64>,
    origin_connections: Option<u64>,
    origin_in_flight_peak: Option<u64>,
    origin_cpu_us: Option<u64>,
    origin_delay_late_us_p50: Option<u64>,
    origin_delay_late_us_p99: Option<u64>,
    listen_overflows: u64,
    time_wait: u64,
    machine_ticks: u64,
    machine_ticks_stolen: u64,
    machine_ticks_foreign: u64,
}

fn row(sample: &Sample) -> Row<'_> {
    let Sample { cell, job, process, origin, network, machine, .. } = sample;
    let (job, origin) = (job.as_ref(), origin.as_ref());
    let usage = job.and_then(|job| job.usage);
    let of = |counts: Option<&Vec<(u64, u64)>>, part| quantile(counts?, part);
    let service = |part| of(job.map(|job| &job.service_times_ns), part);
    let latency = |part| of(job.and_then(|job| job.latencies_ns.as_ref()), part);
    Row {
        number: sample.number,
        round: sample.round,
        warmup: sample.warmup,
        counts: !sample.warmup && sample.void.is_none(),
        gate: gate(sample),
        why: sample.void.as_ref().map_or("", |void| &void.why),
        started_unix_ms: sample.started_unix_ms,
        workload: &cell.workload,
        documents: cell.point.documents,
        concurrency: cell.point.concurrency,
        rate: cell.point.rate,
        client: cell.client.to_string(),
        placement: name(&cell.placement),
        lane: &cell.lane,
        wall_ns: job.map(|job| job.wall_ns),
        process_wall_ns: process.wall_ns,
        user_us: usage.map(|usage| usage.user_us),
        system_us: usage.map(|usage| usage.system_us),
        voluntary_switches: usage.map(|usage| usage.voluntary_switches),
        involuntary_switches: usage.map(|usage| usage.involuntary_switches),
        minor_faults: usage.map(|usage| usage.minor_faults),
        major_faults: usage.map(|usage| usage.major_faults),
        rss_bytes_peak: job.and_then(|job| job.rss_bytes_peak),
        address_space_bytes_peak: job.and_then(|job| job.address_space_bytes_peak),
        service_time_ns_p50: service(0.5),
        service_time_ns_p90: service(0.9),
        service_time_ns_p99: service(0.99),
        service_time_ns_p99_9: service(0.999),
        service_time_ns_max: service(1.0),
        latency_ns_p50: latency(0.5),
        latency_ns_p90: latency(0.9),
        latency_ns_p99: latency(0.99),
        latency_ns_p99_9: latency(0.999),
        latency_ns_max: latency(1.0),
        sent_in_time: job.and_then(|job| job.sent_in_time),
        origin_requests: origin.map(|origin| origin.requests),
        origin_connections: origin.map(|origin| origin.connections),
        origin_in_flight_peak: origin.map(|origin| origin.in_flight_peak),
        origin_cpu_us: origin.map(|origin| origin.cpu_us),
        origin_delay_late_us_p50: origin.map(|origin| origin.delay_error_us.p50),
        origin_delay_late_us_p99: origin.map(|origin| origin.delay_error_us.p99),
        listen_overflows: network.listen_overflows,
        time_wait: network.time_wait,
        machine_ticks: machine.ticks,
        machine_ticks_stolen: machine.ticks_stolen,
        machine_ticks_foreign: machine.ticks_foreign,
    }
}

fn csv(samples: &[Sample]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for sample in samples {
        writer.serialize(row(sample)).expect("memory can be written to");
    }
    let bytes = writer.into_inner().expect("memory can be written to");
    String::from_utf8(bytes).expect("a sample is made of text")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::fixture;

    #[test]
    fn every_sample_is_a_row_of_the_same_columns() {
        let recorded = fixture::recorded();
        let text = csv(&recorded.samples);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let heads = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), recorded.samples.len());
        let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
        let void = rows.iter().find(|row| &row[column("gate")] == "in flight most").unwrap();
        assert_eq!(&void[column("why")], "had 9 requests in flight, allowed 8");
        assert_eq!(&void[column("counts")], "false");
        assert_eq!(&void[column("service_time_ns_p99")], "2000000");
    }

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let bytes = STANDARD.decode(packed("a,b\n1,2\n")).unwrap();
        let mut text = String::new();
        GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "a,b\n1,2\n");
    }
}
