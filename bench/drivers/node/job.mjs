// What every Node driver shares: the job, the clock, the checks and the answer; bench/README.md
// describes the protocol. A driver is an object with open, get, set, pipeline, mget and close.
import { readFileSync } from 'node:fs';

const CONTENT_EVERY = 1000;
// Of commands in flight one in so many is timed; readings of the clock cost as well.
const TIMED_EVERY = 16;

function readJob() {
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
  };
  const bytes = readFileSync(words.values).subarray(0, job.valueBytes + job.keys);
  job.text = bytes.toString('latin1');
  job.bytes = bytes;
  job.names = Array.from({ length: job.keys }, (_, key) => `key:${String(key).padStart(12, '0')}`);
  job.caText = words.ca ? readFileSync(words.ca, 'utf8') : '';
  return job;
}

class Tally {
  constructor(job) {
    this.job = job;
    this.turn = 0;
    this.ops = 0;
    this.errors = 0;
    this.complaint = '';
    this.latencies = [];
    this.running = true;
  }

  nextKey() {
    this.turn += 1;
    return this.turn % this.job.keys;
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

  error(text) {
    this.errors += 1;
    this.complaint ||= text;
  }

  check(key, writes, reply) {
    if (writes) this.stored(reply);
    else this.value(key, reply);
  }
}

async function oneAtATime(tally, client, every) {
  const { job } = tally;
  for (let turn = 0; tally.running; turn += 1) {
    const key = tally.nextKey();
    const writes = tally.writes();
    const began = turn % every === 0 ? process.hrtime.bigint() : 0n;
    const name = job.names[key];
    const reply = await (writes ? client.set(name, tally.valueOf(key)) : client.get(name));
    if (began) tally.latencies.push(Number(process.hrtime.bigint() - began));
    tally.check(key, writes, reply);
  }
}

async function batches(tally, client) {
  const { job } = tally;
  while (tally.running) {
    const keys = Array.from({ length: job.batch }, () => tally.nextKey());
    const writes = tally.writes();
    const began = process.hrtime.bigint();
    const names = keys.map((key) => job.names[key]);
    const values = writes ? keys.map((key) => tally.valueOf(key)) : null;
    const replies = await client.pipeline(names, values);
    tally.latencies.push(Number(process.hrtime.bigint() - began));
    keys.forEach((key, at) => tally.check(key, writes, replies[at]));
  }
}

async function mget(tally, client) {
  const { job } = tally;
  while (tally.running) {
    const keys = Array.from({ length: job.batch }, () => tally.nextKey());
    const began = process.hrtime.bigint();
    const replies = await client.mget(keys.map((key) => job.names[key]));
    tally.latencies.push(Number(process.hrtime.bigint() - began));
    keys.forEach((key, at) => tally.value(key, replies[at]));
  }
}

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function snapshot(tally) {
  const { user, system } = process.cpuUsage();
  return {
    ns: process.hrtime.bigint(),
    cpu: user + system,
    ops: tally.ops,
    timed: tally.latencies.length,
  };
}

async function keepTime(tally) {
  await sleep(tally.job.warmup);
  console.log('begin');
  const began = snapshot(tally);
  await sleep(tally.job.seconds);
  const ended = snapshot(tally);
  console.log('end');
  tally.running = false;
  return [began, ended];
}

function answer(tally, began, ended, client, version) {
  const timed = tally.latencies.slice(began.timed, ended.timed).sort((a, b) => a - b);
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
      rss_kib: process.resourceUsage().maxRSS,
      extra: {},
    }),
  );
}

/** Runs the job of this process with a client made by `open(job)`. */
export async function run(name, version, open) {
  const job = readJob();
  const tally = new Tally(job);
  const client = await open(job);
  const clock = keepTime(tally);
  if (job.mode === 'batch') await batches(tally, client);
  else if (job.mode === 'mget') await mget(tally, client);
  else {
    const every = job.concurrency > 1 ? TIMED_EVERY : 1;
    const loops = Array.from({ length: job.concurrency }, () => oneAtATime(tally, client, every));
    await Promise.all(loops);
  }
  const [began, ended] = await clock;
  answer(tally, began, ended, name, version);
  await client.close();
  process.exit(0);
}
