'use strict';
/**
 * The names of the server's commands, each of which becomes a method, and the few places where a
 * method's arguments or result differ from the wire.
 */

const NAMES = `
acl append arcount asking auth bgrewriteaof bgsave bitcount bitfield bitfield_ro bitop bitpos
blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin client cluster command config copy
dbsize debug decr decrby del delex digest discard dump echo eval eval_ro evalsha evalsha_ro exec
exists expire expireat expiretime failover fcall fcall_ro flushall flushdb function geoadd geodist
geohash geopos georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch
geosearchstore get getbit getdel getex getrange getset hdel hello hexists hexpire hexpireat
hexpiretime hget hgetall hgetdel hgetex hincrby hincrbyfloat hkeys hlen hmget hmset hpersist
hpexpire hpexpireat hpexpiretime hpttl hrandfield hscan hset hsetex hsetnx hstrlen httl hvals incr
incrby incrbyfloat info keys lastsave latency lcs lindex linsert llen lmove lmpop lolwut lpop lpos
lpush lpushx lrange lrem lset ltrim memory mget migrate module move mset msetex msetnx object
persist pexpire pexpireat pexpiretime pfadd pfcount pfdebug pfmerge pfselftest ping psetex psync
pttl publish pubsub randomkey readonly readwrite rename renamenx replconf replicaof reset restore
restore-asking role rpop rpoplpush rpush rpushx sadd save scan scard script sdiff sdiffstore set
setbit setex setnx setrange shutdown sinter sintercard sinterstore sismember slaveof slowlog
smembers smismember smove sort sort_ro spop spublish srandmember srem sscan strlen substr sunion
sunionstore swapdb sync time touch ttl type unlink unwatch vadd vcard vdim vemb vgetattr vinfo
vismember vlinks vrandmember vrem vsetattr vsim wait waitaof watch xack xackdel xadd xautoclaim
xclaim xdel xdelex xgroup xinfo xlen xpending xrange xread xreadgroup xrevrange xsetid xtrim zadd
zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop zmscore
zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex
zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore
zunion zunionstore select subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe
monitor
`
  .trim()
  .split(/\s+/);

/* Commands that change the connection they run on. The lanes of the core are shared with its own
 * work, so they are refused with the way to get the same. */
const REFUSED = {
  subscribe: 'publish/subscribe follows in a later version',
  psubscribe: 'publish/subscribe follows in a later version',
  ssubscribe: 'publish/subscribe follows in a later version',
  unsubscribe: 'publish/subscribe follows in a later version',
  punsubscribe: 'publish/subscribe follows in a later version',
  sunsubscribe: 'publish/subscribe follows in a later version',
  monitor: 'it needs a connection of its own, which follows in a later version',
  select: 'set the option db, or use duplicate({ db })',
  watch: 'it needs a connection of its own, which follows in a later version',
  unwatch: 'it needs a connection of its own, which follows in a later version',
  discard: 'transactions are made with multi()',
  exec: 'transactions are made with multi()',
  auth: 'set the options username and password',
  hello: 'set the option protocol',
  reset: 'the core keeps its connections in order itself',
  readonly: 'set scaleReads of Cluster',
  readwrite: 'set scaleReads of Cluster',
  asking: 'the core follows redirects itself',
  sync: 'a client is not a replica',
  psync: 'a client is not a replica',
};

/** {a: 1} or Map as the last argument of these commands becomes field, value, … */
function flattenLastObject(args) {
  const last = args[args.length - 1];
  if (typeof last !== 'object' || last === null || Array.isArray(last) || ArrayBuffer.isView(last))
    return args;
  const entries = last instanceof Map ? [...last] : Object.entries(last);
  return [...args.slice(0, -1), ...entries.flat()];
}

const ARGUMENT_TRANSFORMERS = {
  mset: flattenLastObject,
  msetnx: flattenLastObject,
  hset: flattenLastObject,
  hmset: flattenLastObject,
};

/** Field, value, … as an object; a field named __proto__ stays a field. */
function pairsToObject(pairs) {
  if (!Array.isArray(pairs)) return pairs;
  const object = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const key = String(pairs[i]);
    if (key !== '__proto__') object[key] = pairs[i + 1];
    else
      Object.defineProperty(object, key, {
        value: pairs[i + 1],
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return object;
}

/* RESP3 nests these where RESP2 has flat lists; callers see the RESP2 shape whatever the protocol.
 */
function flattenPairs(reply) {
  return Array.isArray(reply) && reply.length > 0 && Array.isArray(reply[0]) ? reply.flat() : reply;
}

/** A RESP3 map of streams arrives as name, entries, …; RESP2 has [name, entries] pairs. */
function pairStreams(reply) {
  if (!Array.isArray(reply) || Array.isArray(reply[0])) return reply;
  const pairs = [];
  for (let i = 0; i + 1 < reply.length; i += 2) pairs.push([reply[i], reply[i + 1]]);
  return pairs;
}

const REPLY_TRANSFORMERS = {
  hgetall: pairsToObject,
  xread: pairStreams,
  xreadgroup: pairStreams,
};
for (const name of [
  'zrange',
  'zrevrange',
  'zrangebyscore',
  'zrevrangebyscore',
  'zunion',
  'zinter',
  'zdiff',
  'zrandmember',
  'zpopmin',
  'zpopmax',
  'hrandfield',
]) {
  REPLY_TRANSFORMERS[name] = flattenPairs;
}

/** The text or bytes of one argument, as the server gets it. */
function toArgument(value) {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    /* Large integers would become 1e+21, which no server reads. */
    return Number.isInteger(value) && !Number.isSafeInteger(value)
      ? BigInt(value).toString()
      : String(value);
  }
  if (value === null || value === undefined) return '';
  if (ArrayBuffer.isView(value)) return value;
  return String(value);
}

function isText(value) {
  return typeof value === 'string';
}

/**
 * Arguments of a method call as the server gets them: lists flattened one level, objects spread.
 */
function toArguments(command, args) {
  if (args.every(isText)) return args;
  const list = command.spread === undefined ? args : command.spread(args);
  const result = [];
  for (const value of list) {
    if (Array.isArray(value)) for (const inner of value) result.push(toArgument(inner));
    else result.push(toArgument(value));
  }
  return result;
}

/** What is known of a command by its name, in any spelling. */
class Command {
  constructor(name) {
    this.name = name;
    this.lowerName = name.toLowerCase();
    this.refused = own(REFUSED, this.lowerName);
    this.spread = own(ARGUMENT_TRANSFORMERS, this.lowerName);
    this.toReply = own(REPLY_TRANSFORMERS, this.lowerName);
  }
}

function own(table, name) {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

const KNOWN = new Map(NAMES.map((name) => [name, new Command(name)]));

function commandOf(name) {
  return KNOWN.get(name) || new Command(name);
}

module.exports = { NAMES, commandOf, toArguments };
