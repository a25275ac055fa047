// One job of the lane protocol (crates/job/PROTOCOL.md) on Node's event loop, with what Node brings.
//
//   stdin ──► job ──► fetchAndAggregate ──► Tally ──► stdout
//                       fetchDocument of fetch.mjs or raw.mjs

import { readFileSync } from "node:fs";

import * as library from "./fetch.mjs";
import { openRaw } from "./raw.mjs";
import { Tally, schedule } from "./tally.mjs";

const PROTOCOL = 1;

const job = JSON.parse(readFileSync(0, "utf8"));
if (job.protocol !== PROTOCOL) {
  console.error(`protocol ${job.protocol}, but this program speaks protocol ${PROTOCOL}`);
  process.exit(1);
}

const readyUnixUs = Math.floor((performance.timeOrigin + performance.now()) * 1000);
const before = process.resourceUsage();
const start = process.hrtime.bigint();
let outcome;
try {
  const fetchDocument = job.client === "raw" ? openRaw(idleConnections(job)) : library.fetchDocument;
  const tally = await fetchAndAggregate(fetchDocument, job);
  const wallNs = Number(process.hrtime.bigint() - start);
  const usage = usageSince(before);
  outcome = { completed: { ...tally.completed(), wall_ns: wallNs, usage, ready_unix_us: readyUnixUs, ...peaks() } };
} catch (error) {
  outcome = { failed: { url: error.url, why: error.why ?? String(error) } };
}
// Whatever is still in flight or idle is not waited for.
process.stdout.write(JSON.stringify({ protocol: PROTOCOL, ...outcome }), () => process.exit(0));

/** Fetches every document of the job with at most `job.concurrency` in flight, and folds them. */
async function fetchAndAggregate(fetchDocument, job) {
  const tally = new Tally(job);
  const documents = urls(job);
  const inFlight = Math.min(job.concurrency, job.documents);
  await Promise.all(Array.from({ length: inFlight }, async () => {
    for await (const { url, dueNs } of documents) {
      const sentNs = sinceStart();
      tally.add(await fetchDocument(url), dueNs, sentNs);
    }
  }));
  return tally;
}

/** The URL of every document, each when it is due: at once, unless the job has arrivals. Those who
 * share it get each URL once. */
function urls(job) {
  const [head, tail] = (job.origin + job.path).split("{id}");
  let index = 0;
  const take = () => head + job.ids[index++ % job.ids.length] + tail;
  if (!job.arrivals) {
    const iterator = { next: () => index < job.documents ? { value: { url: take() } } : { done: true } };
    return { [Symbol.iterator]: () => iterator };
  }
  const due = schedule(job.arrivals);
  const next = async () => {
    if (index === job.documents) return { done: true };
    const url = take();
    const dueNs = due.next().value;
    const earlyMs = (dueNs - sinceStart()) / 1e6;
    if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
    return { value: { url, dueNs } };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

function sinceStart() {
  return Number(process.hrtime.bigint() - start);
}

/** How many connections documents that are yet to be asked for can use again. */
function idleConnections({ documents, concurrency, arrivals }) {
  return Math.min(concurrency, Math.max(0, documents - (arrivals ? 1 : concurrency)));
}

function usageSince(before) {
  const now = process.resourceUsage();
  const since = (name) => now[name] - before[name];
  return {
    user_us: since("userCPUTime"), system_us: since("systemCPUTime"),
    voluntary_switches: since("voluntaryContextSwitches"),
    involuntary_switches: since("involuntaryContextSwitches"),
    minor_faults: since("minorPageFault"), major_faults: since("majorPageFault"),
  };
}

/** The most memory that this process had, and the most address space. */
function peaks() {
  const status = readFileSync("/proc/self/status", "utf8");
  const bytes = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m"))[1]) * 1024;
  return { rss_bytes_peak: bytes("VmHWM"), address_space_bytes_peak: bytes("VmPeak") };
}
