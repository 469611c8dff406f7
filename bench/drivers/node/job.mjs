// What every Node driver shares: the job, the clock, the checks and the answer; bench/README.md
// describes the protocol. work.mjs does the work.
import { readFileSync } from 'node:fs';

const CONTENT_EVERY = 1000;
const SLOW_NS = 100_000_000;
// So many latencies are kept, the last ones.
const LATENCIES = 1 << 18;
export const HASHES = 10;
export const CHANNEL = 'bench';

function numbered(prefix, digits, count) {
  return Array.from({ length: count }, (_, index) => prefix + String(index).padStart(digits, '0'));
}

const numberOf = (field) => Number(field.slice('field:'.length));

/** The words of the runner. */
export function readJob() {
  const words = Object.fromEntries(
    process.argv.slice(2).map((word) => [word.split('=', 1)[0], word.slice(word.indexOf('=') + 1)]),
  );
  const number = (name, fallback) => Number(words[name] ?? fallback);
  const job = {
    ...words,
    port: number('port', 6379),
    valueBytes: number('value_bytes', 100),
    concurrency: number('concurrency', 1),
    batch: number('batch', 1),
    keys: number('keys', 1000),
    warmup: number('warmup', 0.7),
    seconds: number('seconds', 1),
    buffers: words.encoding === 'buffer',
    cluster: words.cluster === 'yes',
    resume: words.resume === 'yes',
  };
  const bytes = readFileSync(words.values).subarray(0, job.valueBytes + job.keys);
  job.text = bytes.toString('latin1');
  job.bytes = bytes;
  job.names = numbered('key:', 12, job.keys);
  job.hashes = numbered('hash:', 12, HASHES);
  job.fields = numbered('field:', 3, job.batch);
  job.caText = words.ca ? readFileSync(words.ca, 'utf8') : '';
  return job;
}

/** What has been done. */
export class Tally {
  constructor(job) {
    this.job = job;
    this.turn = 0;
    this.ops = 0;
    this.errors = 0;
    this.complaint = '';
    // Filled before the clock starts: a client that is faster, and so has more to note, must not
    // look like one that needs more memory.
    this.latencies = new Float64Array(LATENCIES).fill(-1);
    this.timed = 0;
    this.troubles = [];
    this.running = true;
  }

  nextKey() {
    this.turn += 1;
    return this.turn % this.job.keys;
  }

  /** As many as a batch has. */
  nextKeys() {
    return Array.from({ length: this.job.batch }, () => this.nextKey());
  }

  writes() {
    return this.job.op === 'set' || (this.job.op === 'mixed' && this.turn % 5 === 0);
  }

  valueOf(key) {
    const { buffers, bytes, text, valueBytes } = this.job;
    return buffers ? bytes.subarray(key, key + valueBytes) : text.slice(key, key + valueBytes);
  }

  value(key, data) {
    this.ops += 1;
    if (data?.length !== this.job.valueBytes) this.error(`a value has the wrong length`);
    else if (this.ops % CONTENT_EVERY === 1 && String(data) !== String(this.valueOf(key))) {
      this.error('a value has the wrong content');
    }
  }

  stored(reply) {
    this.ops += 1;
    if (String(reply) !== 'OK') this.error('SET did not answer OK');
  }

  check(key, writes, reply) {
    if (writes) this.stored(reply);
    else this.value(key, reply);
  }

  batch(keys, writes, replies) {
    if (replies.length !== keys.length) this.error('a batch has the wrong number of replies');
    keys.forEach((key, at) => this.check(key, writes, replies[at]));
  }

  /** A HGETALL's reply: an object, or valkey-glide's list of fields and values. */
  hash(index, reply) {
    const { fields } = this.job;
    const listed = Array.isArray(reply);
    const count = listed ? reply.length : Object.keys(reply).length;
    if (count !== fields.length) this.error('a hash has the wrong number of fields');
    if (!listed) fields.forEach((field, at) => this.value(index + at, reply[field]));
    else for (const { field, value } of reply) this.value(index + numberOf(field), value);
  }

  pong(reply) {
    this.ops += 1;
    if (String(reply) !== 'PONG') this.error('PING did not answer PONG');
  }

  error(text) {
    this.errors += 1;
    this.complaint ||= text;
  }

  took(began) {
    this.note(Number(process.hrtime.bigint() - began));
  }

  note(ns) {
    this.latencies[this.timed % LATENCIES] = ns;
    this.timed += 1;
  }

  /** In order of size, those from number `first` on and before `last`, as far as they are kept. */
  latenciesBetween(first, last) {
    const start = Math.max(first, this.timed - LATENCIES);
    const length = Math.max(0, last - start);
    const noted = (_, at) => this.latencies[(start + at) % LATENCIES];
    return Float64Array.from({ length }, noted).sort();
  }

  /** A call of a failover has ended; `failure` is its error or null. */
  called(began, failure) {
    const ended = process.hrtime.bigint();
    this.note(Number(ended - began));
    if (failure || ended - began > SLOW_NS) this.troubles.push({ began, ended, failure });
  }
}

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function snapshot(tally) {
  const { user, system } = process.cpuUsage();
  return {
    ns: process.hrtime.bigint(),
    cpu: user + system,
    ops: tally.ops,
    timed: tally.timed,
  };
}

/** Says when counting begins and ends; resolves with what there was at both moments. */
export async function keepTime(tally) {
  await sleep(tally.job.warmup);
  console.log('begin');
  const began = snapshot(tally);
  await sleep(tally.job.seconds);
  const ended = snapshot(tally);
  console.log('end');
  tally.running = false;
  return [began, ended];
}

/** A code, a class, or the first word where the class is everybody's. */
function kindOf(error) {
  const { name } = error.constructor;
  if (error.code) return error.code;
  return /^Error$|Reply/.test(name) ? error.message.split(' ', 1)[0] : name;
}

/** What a failover did to the calls that were begun while it was measured. */
function troubles(tally, first, last) {
  const met = tally.troubles.filter(({ began }) => began >= first && began <= last);
  const inMs = (ns) => Number(ns) / 1e6;
  const kinds = {};
  for (const { failure } of met) {
    if (!failure) continue;
    const kind = kindOf(failure);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return {
    failed: met.filter(({ failure }) => failure).length,
    slow: met.filter(({ began, ended }) => ended - began > SLOW_NS).length,
    slowest_ms: Math.max(0, ...met.map(({ began, ended }) => inMs(ended - began))),
    first_trouble_ms: met.length ? Math.min(...met.map(({ began }) => inMs(began - first))) : null,
    last_trouble_ms: met.length ? Math.max(...met.map(({ ended }) => inMs(ended - first))) : null,
    kinds,
  };
}

export function answer(tally, began, ended, client, version) {
  // Not resourceUsage(), which begins with what the runner had when it forked.
  const rss = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  const timed = tally.latenciesBetween(began.timed, ended.timed);
  const last = timed.length - 1;
  const at = (share) =>
    last < 0 ? null : timed[Math.min(Math.floor(timed.length * share), last)] / 1000;
  console.log(
    JSON.stringify({
      client,
      version,
      mode: tally.job.mode,
      ops: ended.ops - began.ops,
      seconds: Number(ended.ns - began.ns) / 1e9,
      errors: tally.errors,
      complaint: tally.complaint,
      p50_us: at(0.5),
      p99_us: at(0.99),
      p999_us: at(0.999),
      cpu_us: ended.cpu - began.cpu,
      rss_kib: rss,
      extra: tally.job.mode === 'failover' ? troubles(tally, began.ns, ended.ns) : {},
    }),
  );
}
