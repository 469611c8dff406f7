// Compiled by the tests, never run: what the types must accept and, by ts-expect-error, refuse.
import Redis from 'tendon';
import { AbortedError, Cluster, Redis as NamedRedis, ReplyError } from 'tendon';
import type { RedisOptions, Result } from 'tendon';
import required = require('tendon');

const options: RedisOptions = {
  host: 'my-redis-cluster.abc123.ng.0001.use1.cache.amazonaws.com',
  port: 6379,
  retryStrategy: (times) => Math.min(times * 200, 3000),
  maxRetriesPerRequest: 3,
  enableReadyCheck: true,
  connectTimeout: 5000,
  lazyConnect: true,
  reconnectOnError: null,
  tls: { ca: 'pem', cert: 'pem', key: Buffer.from('pem'), passphrase: 'p', minVersion: 'TLSv1.2' },
};

export async function article(): Promise<void> {
  const redis = new Redis(options);
  redis.on('connect', () => console.log('connected'));
  redis.on('error', (error) => console.error(error.message));
  redis.on('reconnecting', (delay) => delay.toFixed());
  await redis.connect();
  const ok: 'OK' = await redis.set('key', 'value', 'EX', 300);
  const fresh: 'OK' | null = await redis.set('key', Buffer.from('v'), 'PX', 1000, 'NX');
  const kept: 'OK' | null = await redis.set('key', 1, 'XX', 'KEEPTTL');
  const old: string | null = await redis.set('key', 'v', 'EX', 5, 'GET');
  redis.set('key', 'v', 'NX', (error, set) => error ?? set?.length);
  redis.set('key', 'v', 'EX', 5, (error, set) => error ?? set?.length);
  const cached: string | null = await redis.get('key');
  const bytes: Buffer | null = await redis.getBuffer('key');
  const count: number = await redis.incr('counter');
  const fields: Record<string, string> = await redis.hgetall('hash');
  await redis.hset('hash', { a: 1, b: 'two' });
  await redis.mset(new Map([['a', 1]]));
  const many: Array<string | null> = await redis.mget('a', 'b', ['c']);
  const popped: string | null = await redis.lpop('list');
  const poppedMany: string[] | null = await redis.lpop('list', 2);
  redis.get('key', (error, value) => value?.length);
  const anything = await redis.call('OBJECT', 'ENCODING', 'key');
  const outcomes: [Error | null, unknown][] | null = await redis
    .pipeline()
    .set('a', 1)
    .get('a')
    .exec();
  const results = await redis.multi().incr('a').exec();
  for (const [error, result] of outcomes ?? []) console.log(error, result);
  console.log(
    ok,
    fresh,
    kept,
    old,
    cached,
    bytes,
    count,
    fields,
    many,
    popped,
    poppedMany,
    anything,
    results,
    redis.status,
  );
  await redis.quit();
}

export const cluster = new Redis.Cluster([{ host: 'h', port: 6379 }, 'h:1', 7000], {
  redisOptions: { connectTimeout: 5000 },
  clusterRetryStrategy: (times) => Math.min(times * 200, 3000),
  scaleReads: 'slave',
});
cluster.on('node error', (error, name) => console.log(error.message, name.length));
export const node: Redis | undefined = new Cluster([7000]).nodes('master')[0];
export const others: Redis[] = [
  new NamedRedis(6379, 'localhost', { db: 1 }),
  new required.Redis('redis://localhost'),
];
export async function abortable(redis: Redis | Cluster, signal: AbortSignal): Promise<string[]> {
  const view = redis.withAbortSignal(signal);
  try {
    const list: string[] = await view.lrange('list', 0, -1);
    await view.multi().set('a', 1).exec();
    return list;
  } catch (error) {
    if (error instanceof AbortedError && error.executed === 'no') return [error.name, error.code];
    throw error;
  }
}
export const direct: Result<string> = Promise.resolve('a promise');
export const isReply = (error: unknown): boolean =>
  error instanceof ReplyError && error.command?.name === 'get';

// @ts-expect-error a misspelt option
new Redis({ maxRetryPerRequest: 3 });
// @ts-expect-error a value of the wrong type
new Redis({ lazyConnect: 'yes' });
// @ts-expect-error no such place to read from
new Cluster([7000], { scaleReads: 'replica' });
// @ts-expect-error nothing to set
others[0]!.set('key');
// @ts-expect-error not an answer
new Redis({ reconnectOnError: () => 'yes' });
// @ts-expect-error no signal
others[0]!.withAbortSignal(new AbortController());
// @ts-expect-error not a command
others[0]!.gett('key');
