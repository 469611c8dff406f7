// The work of each mode. A driver's `open(job)` resolves with an object that is connected: ping,
// get, set, mget, hgetall; pipeline(names, values), where values is null for GET;
// publish(messages); listen(heard), which resolves when the subscription is confirmed; close, and
// reconnect where a client can resume its TLS session that way.
import { HASHES, Tally, answer, keepTime, readJob } from './job.mjs';

// Of commands in flight one in so many is timed; readings of the clock cost as well.
const TIMED_EVERY = 16;
// After a failed call in a failover.
const REST_MS = 10;

const now = () => process.hrtime.bigint();

async function oneAtATime(tally, client, every, first) {
  const { job } = tally;
  for (let turn = first; tally.running; turn += 1) {
    const key = tally.nextKey();
    const writes = tally.writes();
    const began = turn % every === 0 ? now() : 0n;
    const name = job.names[key];
    const reply = await (writes ? client.set(name, tally.valueOf(key)) : client.get(name));
    if (began) tally.took(began);
    tally.check(key, writes, reply);
  }
}

async function failover(tally, client) {
  const { job } = tally;
  while (tally.running) {
    const key = tally.nextKey();
    const writes = tally.writes();
    const name = job.names[key];
    const began = now();
    try {
      const reply = await (writes ? client.set(name, tally.valueOf(key)) : client.get(name));
      tally.called(began, null);
      tally.check(key, writes, reply);
    } catch (error) {
      tally.called(began, error);
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  }
}

async function batches(tally, client) {
  const { job } = tally;
  while (tally.running) {
    const keys = tally.nextKeys();
    const writes = tally.writes();
    const began = now();
    const names = keys.map((key) => job.names[key]);
    const values = writes ? keys.map((key) => tally.valueOf(key)) : null;
    const replies = await client.pipeline(names, values);
    tally.took(began);
    tally.batch(keys, writes, replies);
  }
}

async function mget(tally, client) {
  const { job } = tally;
  while (tally.running) {
    const keys = tally.nextKeys();
    const began = now();
    const replies = await client.mget(keys.map((key) => job.names[key]));
    tally.took(began);
    tally.batch(keys, false, replies);
  }
}

async function hashes(tally, client) {
  while (tally.running) {
    const index = tally.nextKey() % HASHES;
    const began = now();
    const reply = await client.hgetall(tally.job.hashes[index]);
    tally.took(began);
    tally.hash(index, reply);
  }
}

async function connect(tally, open) {
  while (tally.running) {
    const began = now();
    const client = await open(tally.job);
    const reply = await client.ping();
    client.close();
    tally.took(began);
    tally.pong(reply);
  }
}

async function reconnect(tally, client) {
  while (tally.running) {
    const began = now();
    client.reconnect();
    const reply = await client.ping();
    tally.took(began);
    tally.pong(reply);
  }
}

async function subscribe(tally, client) {
  let waiting = [];
  let delivered;
  await client.listen((message) => {
    tally.value(waiting.shift(), message);
    if (waiting.length === 0) delivered();
  });
  while (tally.running) {
    waiting = tally.nextKeys();
    const began = now();
    const all = new Promise((resolve) => {
      delivered = resolve;
    });
    await client.publish(waiting.map((key) => tally.valueOf(key)));
    await all;
    tally.took(began);
  }
}

const SINGLE = { batch: batches, mget, hash: hashes, connect: reconnect, subscribe };

async function work(tally, client) {
  const { mode, concurrency } = tally.job;
  const single = SINGLE[mode];
  if (single) return single(tally, client);
  const every = concurrency > 1 ? TIMED_EVERY : 1;
  const loop = mode === 'failover' ? failover : oneAtATime;
  const firsts = Array.from({ length: concurrency }, (_, first) => first);
  return Promise.all(firsts.map((first) => loop(tally, client, every, first)));
}

/** Runs the job of this process with clients made by `open(job)`. */
export async function run(name, version, open) {
  const job = readJob();
  const tally = new Tally(job);
  const client = await open(job);
  await client.ping();
  const isFresh = job.mode === 'connect' && !(job.resume && client.reconnect);
  const clock = keepTime(tally);
  await (isFresh ? connect(tally, open) : work(tally, client));
  const [began, ended] = await clock;
  answer(tally, began, ended, name, version);
  client.close();
  process.exit(0);
}
