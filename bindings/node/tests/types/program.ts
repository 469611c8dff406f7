// A program as people write them for ioredis, with its import changed. Compiled by the tests, never
// run: every group of commands, pipelines, transactions, messages, scripts, streams, events.
import Redis, { Cluster } from 'tendon';
import type {
  Callback,
  ChainableCommander,
  ClusterOptions,
  RedisKey,
  RedisOptions,
  RedisValue,
  Result,
  ScanStream,
} from 'tendon';

// Custom commands are declared as ioredis documents it.
declare module 'tendon' {
  interface RedisCommander<Context> {
    takeToken(key: string, limit: number): Result<number, Context>;
  }
}

const options: RedisOptions = {
  host: 'cache.internal',
  port: 6379,
  keyPrefix: 'shop:',
  password: process.env.REDIS_PASSWORD,
  db: 0,
  tls: process.env.REDIS_TLS ? {} : undefined,
  retryStrategy: (times) => (times > 10 ? null : Math.min(times * 50, 2000)),
  reconnectOnError: (error) => error.message.includes('CUSTOM'),
  maxRetriesPerRequest: null,
  enableAutoPipelining: true,
  stringNumbers: false,
  scripts: { takeToken: { lua: 'return 1', numberOfKeys: 1, readOnly: false } },
};

export class Repository {
  private readonly redis: Redis;
  private subscriber?: Redis;
  constructor(redis: Redis = new Redis(options)) {
    this.redis = redis;
    this.redis.on('error', (error) => console.error(error.message));
    this.redis.on('reconnecting', (delay: number) => console.log(delay));
    this.redis.once('ready', () => console.log(this.redis.status === 'ready'));
  }

  async strings(): Promise<void> {
    const ok: 'OK' = await this.redis.set('k', 'v');
    const nx: 'OK' | null = await this.redis.set('k', 1, 'EX', 10, 'NX');
    const other: 'OK' | null = await this.redis.set('k', 'v', 'NX', 'PX', '10');
    const old: string | null = await this.redis.set('k', 'v', 'EX', 10, 'GET');
    const bytes: Buffer | null = await this.redis.getBuffer(Buffer.from('k'));
    const values: (string | null)[] = await this.redis.mget('a', 'b');
    const listed: (string | null)[] = await this.redis.mget(['a', 'b']);
    await this.redis.mset({ a: 1, b: 'two' });
    await this.redis.mset('a', 1, 'b', 2);
    await this.redis.setex('k', 60, JSON.stringify({ a: 1 }));
    const count: number = await this.redis.incrby('n', 5);
    const float: string = await this.redis.incrbyfloat('n', 0.5);
    const expired: number = await this.redis.expire('k', 10, 'GT');
    const ttl: number = await this.redis.ttl('k');
    const bit: number = await this.redis.setbit('bits', 7, 1);
    const counted: number = await this.redis.bitcount('bits', 0, -1, 'BYTE');
    const fields = (await this.redis.bitfield('bits', 'INCRBY', 'u8', 0, 1)) as number[];
    console.log(ok, nx, other, old, bytes, values, listed, count, float, expired, ttl);
    console.log(bit, counted, fields, await this.redis.getex('k', 'PERSIST'));
  }

  async hashesAndLists(id: string): Promise<Record<string, string>> {
    await this.redis.hset(id, { name: 'n', age: 5 });
    await this.redis.hset(id, 'name', 'n', 'age', 5);
    await this.redis.hset(id, new Map([['a', 1]]));
    const name: string | null = await this.redis.hget(id, 'name');
    const some: (string | null)[] = await this.redis.hmget(id, 'a', 'b');
    const [cursor, page]: [string, string[]] = await this.redis.hscan(id, 0, 'COUNT', 10);
    await this.redis.rpush('list', 'a', 1, Buffer.from('b'));
    const popped: string | null = await this.redis.lpop('list');
    const many: string[] | null = await this.redis.rpop('list', 2);
    const waited: [string, string] | null = await this.redis.blpop('list', 'other', 5);
    const positions: number[] = await this.redis.lpos('list', 'a', 'COUNT', 0);
    const moved: string | null = await this.redis.lmove('list', 'other', 'LEFT', 'RIGHT');
    const taken = await this.redis.lmpop(2, 'a', 'b', 'LEFT', 'COUNT', 3);
    console.log(name, some, cursor, page, popped, many, waited, positions, moved, taken?.[1]);
    return this.redis.hgetall(id);
  }

  async setsAndScores(members: string[]): Promise<string[]> {
    const added: number = await this.redis.sadd('set', ...members);
    const again: number = await this.redis.sadd('set', members);
    const is: number[] = await this.redis.smismember('set', 'a', 'b');
    const one: string | null = await this.redis.spop('set');
    const several: string[] = await this.redis.srandmember('set', 3);
    const scored: number = await this.redis.zadd('z', 'NX', 'CH', 1, 'a', 2.5, 'b');
    const bumped: string | null = await this.redis.zadd('z', 'XX', 'INCR', 1, 'a');
    const score: string | null = await this.redis.zscore('z', 'a');
    const rank: number | null = await this.redis.zrank('z', 'a');
    const top: string[] = await this.redis.zrevrange('z', 0, 9, 'WITHSCORES');
    const range: string[] = await this.redis.zrange('z', '(1', '+inf', 'BYSCORE', 'LIMIT', 0, 10);
    const byScore: string[] = await this.redis.zrangebyscore('z', '-inf', 5, 'WITHSCORES');
    const least = await this.redis.bzpopmin('z', 'z2', 1);
    const union: string[] = await this.redis.zunion(2, 'z', 'z2', 'WEIGHTS', 1, 2, 'WITHSCORES');
    console.log(added, again, is, one, several, scored, bumped, score, rank, top, range, byScore);
    console.log(least?.[1], union, await this.redis.zmscore('z', 'a', 'b'));
    return this.redis.sinter('set', 'set2');
  }

  async streamsAndGeo(): Promise<void> {
    const id: string | null = await this.redis.xadd('s', 'MAXLEN', '~', 1000, '*', 'f', 'v');
    const entries: [string, string[]][] = await this.redis.xrange('s', '-', '+', 'COUNT', 10);
    const read = await this.redis.xread('COUNT', 10, 'BLOCK', 0, 'STREAMS', 's', '$');
    for (const [stream, messages] of read ?? [])
      for (const [messageId, fields] of messages) console.log(stream, messageId, fields.length);
    await this.redis.xgroup('CREATE', 's', 'g', '$', 'MKSTREAM');
    const group = await this.redis.xreadgroup('GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', 's', '>');
    const acknowledged: number = await this.redis.xack('s', 'g', id ?? '0-0');
    const claimed: unknown[] = await this.redis.xautoclaim('s', 'g', 'c', 0, '0', 'COUNT', 5);
    await this.redis.geoadd('geo', 13.36, 38.11, 'Palermo');
    const found = await this.redis.geosearch('geo', 'FROMMEMBER', 'x', 'BYRADIUS', 5, 'km', 'ASC');
    const distance: string | null = await this.redis.geodist('geo', 'a', 'b', 'KM');
    const places: ([string, string] | null)[] = await this.redis.geopos('geo', 'a');
    console.log(entries, group?.[0]?.[0], acknowledged, claimed, found.length, distance, places);
    console.log(await this.redis.pfadd('h', 'a', 'b'), await this.redis.pfcount('h', 'h2'));
  }

  async batches(keys: string[]): Promise<(string | null)[]> {
    const pipeline: ChainableCommander = this.redis.pipeline();
    for (const key of keys) pipeline.get(key);
    pipeline.set('k', 'v', 'EX', 5).hgetall('h').takeToken('t', 1);
    const results = await pipeline.exec();
    if (!results) throw new Error('no results');
    const [[error, first]] = [results[0]!];
    if (error) throw error;
    await this.redis.watch('k');
    const outcome = await this.redis.multi().incr('k').expire('k', 5).exec();
    if (outcome === null) console.log('changed meanwhile');
    await this.redis
      .multi([
        ['set', 'a', 1],
        ['get', 'a'],
      ])
      .exec((failed, all) => {
        console.log(failed?.message, all?.length);
      });
    await this.redis.multi({ pipeline: false });
    await this.redis.discard();
    return [first as string | null];
  }

  async scripts(): Promise<void> {
    const left: number = await this.redis.takeToken('bucket', 10);
    const sha = (await this.redis.script('LOAD', 'return 1')) as string;
    const value = (await this.redis.evalsha(sha, 1, 'k', 'argument')) as [string, number];
    const raw: unknown = await this.redis.eval('return KEYS', 2, 'a', 'b');
    const called: unknown = await this.redis.fcall('f', 1, 'k');
    this.redis.defineCommand('later', { lua: 'return ARGV[1]', numberOfKeys: 0 });
    console.log(left, value[1], raw, called, await this.redis.call('OBJECT', 'ENCODING', 'k'));
  }

  async messages(): Promise<void> {
    const subscriber = this.redis.duplicate();
    this.subscriber = subscriber;
    await subscriber.subscribe('news', 'sports');
    await subscriber.psubscribe('user:*');
    subscriber.on('message', (channel, message) => console.log(channel.length, message.length));
    subscriber.on('pmessage', (pattern, channel, message) =>
      console.log(pattern, channel, message),
    );
    subscriber.on('messageBuffer', (channel, message) => console.log(channel.byteLength, message));
    const receivers: number = await this.redis.publish('news', JSON.stringify({ a: 1 }));
    const monitor = await this.redis.monitor();
    monitor.on('monitor', (time: string, args: string[]) => console.log(time, args, receivers));
    await subscriber.unsubscribe();
  }

  async all(pattern: string): Promise<string[]> {
    const stream: ScanStream = this.redis.scanStream({ match: pattern, count: 100 });
    const keys: string[] = [];
    for await (const page of stream) keys.push(...(page as string[]));
    stream.on('end', () => console.log('done'));
    const info: string = await this.redis.info('server');
    const pairs: string[] = await this.redis.config('GET', 'max*');
    const name: string | null = await this.redis.client('GETNAME');
    await this.redis.client('SETNAME', 'worker');
    const user: string = await this.redis.acl('WHOAMI');
    const bytes: number | null = await this.redis.memory('USAGE', 'k');
    console.log(info, pairs, name, user, bytes, await this.redis.dbsize());
    return keys;
  }

  callbacks(): void {
    this.redis.get('k', (error, value) => console.log(error?.message, value?.length));
    this.redis.mget('a', 'b', (error, values) => console.log(error, values?.[0]?.length));
    this.redis.zadd('z', 1, 'm', (error, added) => console.log(error, added?.toFixed()));
    const told: Callback<string | null> = (error, value) => console.log(error, value);
    this.redis.hget('h', 'f', told);
  }
}

export function keyOf(key: RedisKey, value: RedisValue): Promise<'OK'> {
  return new Redis(6379, 'localhost', { lazyConnect: true }).set(key, value);
}

const clusterOptions: ClusterOptions = {
  redisOptions: { password: 'p', tls: {}, connectTimeout: 5000 },
  scaleReads: 'slave',
  maxRedirections: 16,
  dnsLookup: (address, callback) => callback(null, address),
  clusterRetryStrategy: (times, reason) => (reason ? 100 : times),
};
export const cluster = new Cluster([{ host: 'a', port: 7000 }, 'redis://b:7001'], clusterOptions);
cluster.on('+node', (node) => node.options.host);
export const masters: Promise<string[]>[] = cluster.nodes('master').map((node) => node.keys('*'));
export const either = (client: Redis | Cluster): Promise<string | null> => client.get('k');
export const generic: Result<number> = Promise.resolve(1);

export async function nested(): Promise<void> {
  const redis = new Redis({ replyMapping: 'resp3' });
  const pairs: [string, number][] = await redis.zrange('z', 0, -1, 'WITHSCORES');
  const score: number | null = await redis.zscore('z', 'm');
  const settings: Record<string, string> = await redis.config('GET', '*');
  console.log(pairs, score, settings);
}

export function mistakes(redis: Redis, maybe: string | undefined): unknown[] {
  return [
    // @ts-expect-error no value
    redis.set('k'),
    // @ts-expect-error a value that may be missing
    redis.set('k', maybe),
    // @ts-expect-error a key that may be missing
    redis.del(maybe),
    // @ts-expect-error no such option
    redis.set('k', 'v', 'EXX', 5),
    // @ts-expect-error a time without a number
    redis.set('k', 'v', 'EX'),
    // @ts-expect-error options that exclude each other
    redis.set('k', 'v', 'NX', 'XX'),
    // @ts-expect-error no such subcommand
    redis.client('NOSUCH'),
    // @ts-expect-error an object is no value
    redis.lpush('k', { a: 1 }),
    // @ts-expect-error a number is no key
    redis.get(5),
    // @ts-expect-error the callback's result is a number
    redis.incr('k', (error: Error | null | undefined, value?: string) => value),
    // @ts-expect-error too many arguments
    redis.get('a', 'b', 'c'),
    // @ts-expect-error no direction
    redis.lmove('a', 'b', 'LEFT', 'UP'),
    // @ts-expect-error Sentinel is outside
    new Redis({ sentinels: [{ host: 'h', port: 26379 }], name: 'm' }),
    // @ts-expect-error no such command
    redis.pipeline().gett('k'),
    // @ts-expect-error a result is not text
    redis.strlen('k').then((length) => length.toUpperCase()),
  ];
}
