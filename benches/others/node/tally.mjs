// What documents add up to, and when they are due.

/** A request failed, and the job with it. */
export class FetchError extends Error {
  constructor(url, why) {
    super(`GET ${url}: ${why}`);
    this.url = url;
    this.why = why;
  }
}

/** One document, fetched and parsed. Parsing is not part of its service time. */
export class Fetched {
  constructor(url, body, bytes, serviceNs) {
    this.bytes = bytes;
    this.serviceNs = serviceNs;
    try {
      this.document = JSON.parse(body);
    } catch (error) {
      throw new FetchError(url, `the body is not a document: ${error.message}`);
    }
  }
}

/** The answer so far, with the times of every document in it. */
export class Tally {
  constructor(job) {
    this.job = job;
    this.documents = this.bytes = this.moves = 0;
    // A sum of numbers is exact up to 2^53, and what would be more goes to `large`.
    this.sums = { weight_sum: 0, height_sum: 0, base_experience_sum: 0, stat_sum: 0 };
    this.large = { weight_sum: 0n, height_sum: 0n, base_experience_sum: 0n, stat_sum: 0n };
    this.types = {};
    this.heaviest = [];
    this.hashes = new Map();
    this.namesChecksum = 0n;
    this.serviceTimesNs = [];
    this.latenciesNs = [];
    this.sentNs = [];
  }

  add({ document, bytes, serviceNs }, dueNs, sentNs) {
    this.documents += 1;
    this.bytes += bytes;
    this.addTo("weight_sum", document.weight);
    this.addTo("height_sum", document.height);
    this.addTo("base_experience_sum", document.base_experience ?? 0);
    for (const { base_stat } of document.stats) this.addTo("stat_sum", base_stat);
    this.moves += document.moves.length;
    for (const { type } of document.types) this.types[type.name] = (this.types[type.name] ?? 0) + 1;
    this.keepHeavy({ weight: document.weight, id: document.id, name: document.name });
    this.namesChecksum = BigInt.asUintN(64, this.namesChecksum + fnv1a(document.name));
    this.serviceTimesNs.push([serviceNs, 1]);
    if (dueNs !== undefined) {
      this.latenciesNs.push([sentNs - dueNs + serviceNs, 1]);
      this.sentNs.push(sentNs);
    }
  }

  addTo(name, value) {
    const sum = this.sums[name] + value;
    if (Number.isSafeInteger(sum)) {
      this.sums[name] = sum;
    } else {
      this.large[name] += BigInt(this.sums[name]);
      this.sums[name] = value;
    }
  }

  /** Keeps a document if it belongs to the top, once however often it was fetched. */
  keepHeavy(heavy) {
    const place = this.heaviest.findIndex((kept) => rank(heavy, kept) <= 0);
    if (place >= 0 && rank(heavy, this.heaviest[place]) === 0) return;
    this.heaviest.splice(place >= 0 ? place : this.heaviest.length, 0, heavy);
    this.heaviest.length = Math.min(this.heaviest.length, this.job.top);
  }

  /** The outcome, but for what the process says of itself. */
  completed() {
    const sum = (name) => [name, String(this.large[name] + BigInt(this.sums[name]))];
    const answer = {
      documents: this.documents, bytes: this.bytes, ...Object.fromEntries(Object.keys(this.sums).map(sum)),
      moves: this.moves, types: this.types, top: this.job.top, heaviest: this.heaviest,
      names_checksum: this.namesChecksum.toString(16).padStart(16, "0"),
    };
    const completed = { answer, service_times_ns: this.serviceTimesNs };
    if (!this.job.arrivals) return completed;
    const due = schedule(this.job.arrivals);
    for (let index = 0; index < this.documents; index++) due.next();
    const endNs = due.next().value;
    const sentInTime = this.sentNs.filter((sentNs) => sentNs < endNs).length;
    return { ...completed, latencies_ns: this.latenciesNs, sent_in_time: sentInTime };
  }
}

/** Heaviest first, then the lower id. */
function rank(a, b) {
  return b.weight - a.weight || a.id - b.id;
}

/** The 64-bit FNV-1a hash of a name. Numbers have 53 bits, and BigInt takes a microsecond and more for
 * each byte: the hash is kept in four digits of 16 bits, and is one BigInt only at its end. */
function fnv1a(name) {
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2];
  for (const byte of Buffer.from(name)) {
    a ^= byte;
    // The prime is 2^40 + 0x1b3: the first is a shift by two digits and a half.
    const [e, f, g, h] = [a * 0x1b3, b * 0x1b3, c * 0x1b3 + a * 0x100, d * 0x1b3 + b * 0x100];
    a = e & 0xffff;
    const carried = f + (e >>> 16);
    b = carried & 0xffff;
    const carriedOn = g + (carried >>> 16);
    c = carriedOn & 0xffff;
    d = (h + (carriedOn >>> 16)) & 0xffff;
  }
  return (BigInt(d * 0x10000 + c) << 32n) | BigInt(b * 0x10000 + a);
}

/** When each document is due, in nanoseconds from the start, without end. */
export function* schedule({ process, rate, seed }) {
  let state = BigInt(seed);
  for (let index = 0, dueNs = 0; ; index++) {
    if (process === "uniform") {
      yield Number((BigInt(index) * 1_000_000_000n) / BigInt(rate));
      continue;
    }
    yield Math.floor(dueNs);
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    const part = (Number(splitMix64(state) >> 11n) + 1) / 2 ** 53;
    dueNs += (-Math.log(part) / rate) * 1e9;
  }
}

/** The number that SplitMix64 makes of a state. */
function splitMix64(state) {
  let mixed = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
  mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
  return mixed ^ (mixed >> 31n);
}
