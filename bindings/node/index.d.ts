/**
 * Types of the Redis, Valkey and ElastiCache client on libtendon, with the interface of ioredis.
 *
 * Every command method takes strings, numbers and Buffers side by side or in arrays, and an
 * optional node-style callback last. It returns a promise that rejects with ReplyError when the
 * server refuses the command, and with a TendonError, whose `executed` says what is known, when no
 * answer came.
 */
/// <reference types="node" />
import { EventEmitter } from 'node:events';

declare namespace Redis {
  type RedisKey = string | Buffer;
  type RedisValue = string | Buffer | number;
  type Argument = RedisValue | bigint | boolean | null | undefined | Uint8Array;
  type Arguments = ReadonlyArray<Argument | ReadonlyArray<Argument>>;
  /**
   * What a command method gives: a promise, or in a pipeline the pipeline itself. For programs that
   * write signatures of commands for ioredis.
   */
  type Result<T, Context = unknown> = Context extends { type: 'pipeline' }
    ? ChainableCommander
    : Promise<T>;
  type Callback<T> = (error: Error | null | undefined, result?: T) => void;
  type Fields = Record<string, Argument> | Map<RedisKey | number, Argument>;
  /** What a command of unknown shape gives: the reply as it came. */
  type Reply = string | number | null | Error | Reply[];
  type BufferReply = Buffer | string | number | null | Error | BufferReply[];

  type RedisStatus = 'wait' | 'connecting' | 'connect' | 'ready' | 'close' | 'reconnecting' | 'end';
  type Executed = 'no' | 'yes' | 'unknown';

  /**
   * The TLS settings of Node that the core can honour, plus files and its own spelling of the
   * insecure ones.
   */
  interface TlsOptions {
    /** Trusted certificates as PEM. */
    ca?: string | Buffer | Array<string | Buffer>;
    caFile?: string;
    caDir?: string;
    /** The client certificate and its chain as PEM. */
    cert?: string | Buffer;
    certFile?: string;
    /** The key of the client certificate as PEM. */
    key?: string | Buffer;
    keyFile?: string;
    /** Of an encrypted key. */
    passphrase?: string | Buffer;
    /** Name sent as SNI and verified, instead of the host. */
    servername?: string;
    /** false is INSECURE: any certificate of anybody is accepted. */
    rejectUnauthorized?: boolean;
    /** true is INSECURE: a trusted certificate of any other host is accepted. */
    insecureSkipHostname?: boolean;
    minVersion?: 'TLSv1.2' | 'TLSv1.3';
    maxVersion?: 'TLSv1.3';
    ciphers?: string;
  }

  /** Options every connection has; times are milliseconds. */
  interface CommonRedisOptions {
    username?: string | null;
    password?: string | Buffer | null;
    db?: number | string;
    family?: 0 | 4 | 6;
    /** One limit for resolving, connecting, TLS and the handshake. Default 10000; 0 means none. */
    connectTimeout?: number;
    /** Limit of each command, waiting included. Default: none. */
    commandTimeout?: number;
    /** How long a sent command may stay without a reply. Default: none. */
    socketTimeout?: number;
    /** Silence before the first TCP probe. Default 30000. */
    keepAlive?: number;
    noDelay?: true;
    tls?: boolean | TlsOptions;
    /** Failed connections a command survives. Default 20; null waits for ever. */
    maxRetriesPerRequest?: number | null;
    enableReadyCheck?: boolean;
    /**
     * true also repeats writes that may have been executed. Default: only what is safe to repeat.
     */
    autoResendUnfulfilledCommands?: boolean;
    autoResubscribe?: boolean;
    connectionName?: string | null;
    disableClientInfo?: boolean;
    clientInfoTag?: string;
    stringNumbers?: boolean;
    showFriendlyErrorStack?: boolean;
    protocol?: 2 | 3;
    replyMapping?: 'legacy';
    enableAutoPipelining?: boolean;
    autoPipeliningIgnoredCommands?: string[];
    keyPrefix?: '';
    /** Commands under way at most. Default a million. */
    maxPending?: number;
  }

  interface RedisOptions extends CommonRedisOptions {
    host?: string;
    port?: number | string;
    /** Path of a Unix socket. */
    path?: string;
    /** Milliseconds until attempt number `times`; anything that is no number ends the client. */
    retryStrategy?: ((times: number) => number | void | null) | null;
    enableOfflineQueue?: boolean;
    lazyConnect?: boolean;
    /** Functions are refused: the core itself leaves a demoted primary. */
    reconnectOnError?: null;
    readOnly?: false;
    monitor?: false;
  }

  type NodeRole = 'all' | 'master' | 'slave';
  type ClusterNode =
    string | number | ({ host?: string; port?: number | string } & CommonRedisOptions);

  interface ClusterOptions {
    clusterRetryStrategy?: ((times: number, reason?: Error) => number | void | null) | null;
    enableOfflineQueue?: boolean;
    enableReadyCheck?: boolean;
    lazyConnect?: boolean;
    /** Where read-only commands go. Default "master". */
    scaleReads?: NodeRole;
    /** MOVED and ASK one command follows. Default 16. */
    maxRedirections?: number;
    slotsRefreshInterval?: number;
    slotsRefreshTimeout?: 1000;
    retryDelayOnMoved?: 0;
    retryDelayOnFailover?: 100;
    retryDelayOnClusterDown?: 100;
    retryDelayOnTryAgain?: 100;
    redisOptions?: RedisOptions;
    /**
     * Accepted when it answers with the name it was asked for; the core keeps host names for TLS
     * anyway.
     */
    dnsLookup?: (
      address: string,
      callback: (
        error: NodeJS.ErrnoException | null | undefined,
        address: string,
        family?: number,
      ) => void,
    ) => void;
    useSRVRecords?: false;
    shardedSubscribers?: false;
    tls?: boolean | TlsOptions;
    enableAutoPipelining?: boolean;
    autoPipeliningIgnoredCommands?: string[];
    showFriendlyErrorStack?: boolean;
    keyPrefix?: '';
    maxPending?: number;
  }

  /** Figures of the core since the client connected. */
  interface Stats {
    nodes: number;
    open: number;
    idle: number;
    leased: number;
    lanes: number;
    connecting: number;
    pending: number;
    created: number;
    connectFailures: number;
    requests: number;
    replies: number;
    errors: number;
    timeouts: number;
    retries: number;
    unknown: number;
    moved: number;
    ask: number;
    tlsResumed: number;
  }

  class RedisError extends Error {
    /** The command that failed, where one did. */
    command?: { name: string; args: Array<string | Buffer> };
  }
  /** The server answered with an error; `message` is its whole line. */
  class ReplyError extends RedisError {
    /** EXECABORT only: what the server said to the commands of the transaction. */
    previousErrors?: Error[];
  }
  class AbortError extends RedisError {}
  class ParserError extends RedisError {}
  class MaxRetriesPerRequestError extends AbortError {
    executed: Executed;
    readonly cause: Error;
  }
  class ClusterAllFailedError extends RedisError {
    lastNodeError?: Error;
  }
  /** A failure of the core. */
  class TendonError extends RedisError {
    /** Name of the status, such as "CONNECT_TIMEOUT". */
    status: string;
    executed: Executed;
    attempts: number;
    elapsedMs: number;
    /** "host:port" of the last attempt, or "". */
    node: string;
    code: string;
    prefix?: string;
  }
  class ConfigError extends TendonError {}
  class ConnectError extends TendonError {}
  class TlsError extends ConnectError {}
  class TimeoutError extends TendonError {}
  class ConnectTimeoutError extends TimeoutError {}
  class DisconnectedError extends TendonError {}
  class ProtocolError extends TendonError {}
  class LimitError extends ProtocolError {}
  class PoolError extends TendonError {}
  class ClusterError extends TendonError {}
  class ClosedError extends TendonError {}
  /**
   * The command's AbortSignal ended it; `cause` is the signal's reason. `executed` is "no" when
   * nothing was sent, "unknown" when no answer had come, "yes" when one had.
   */
  class AbortedError extends TendonError {
    readonly name: 'AbortError';
    code: 'ABORT_ERR';
  }
  class AuthError extends ReplyError {
    status: string;
    executed: Executed;
    prefix?: string;
  }

  /* ---- Commands by the shape of their result. A name not listed gives Reply. ---- */

  type StatusCommand =
    | 'setex' | 'psetex' | 'mset' | 'hmset' | 'lset' | 'ltrim' | 'rename' | 'restore' | 'flushdb'
    | 'flushall' | 'pfmerge' | 'swapdb' | 'save' | 'bgsave' | 'bgrewriteaof' | 'echo' | 'type'
    | 'ping' | 'info' | 'incrbyfloat' | 'hincrbyfloat' | 'getrange' | 'substr' | 'lolwut'
    | 'shutdown' | 'migrate';
  type NullableTextCommand =
    | 'set' | 'get' | 'getdel' | 'getex' | 'getset' | 'hget' | 'lindex' | 'lmove' | 'rpoplpush'
    | 'blmove' | 'brpoplpush' | 'randomkey' | 'zscore' | 'geodist' | 'dump' | 'xadd';
  /** Above 2^53 these give the digits as a string, lest some of them are lost. */
  type NumberCommand =
    | 'append' | 'bitcount' | 'bitop' | 'bitpos' | 'copy' | 'dbsize' | 'decr' | 'decrby' | 'del'
    | 'exists' | 'expire' | 'expireat' | 'expiretime' | 'geoadd' | 'geosearchstore' | 'getbit'
    | 'hdel' | 'hexists' | 'hincrby' | 'hlen' | 'hset' | 'hsetnx' | 'hstrlen' | 'incr' | 'incrby'
    | 'lastsave' | 'linsert' | 'llen' | 'lpush' | 'lpushx' | 'lrem' | 'move' | 'msetnx'
    | 'persist' | 'pexpire' | 'pexpireat' | 'pexpiretime' | 'pfadd' | 'pfcount' | 'pttl'
    | 'publish' | 'renamenx' | 'rpush' | 'rpushx' | 'sadd' | 'scard' | 'sdiffstore' | 'setbit'
    | 'setnx' | 'setrange' | 'sinterstore' | 'sintercard' | 'sismember' | 'smove' | 'spublish'
    | 'srem' | 'strlen' | 'sunionstore' | 'touch' | 'ttl' | 'unlink' | 'wait' | 'xack' | 'xdel'
    | 'xlen' | 'xtrim' | 'zcard' | 'zcount' | 'zdiffstore' | 'zinterstore' | 'zintercard'
    | 'zlexcount' | 'zrangestore' | 'zrem' | 'zremrangebylex' | 'zremrangebyrank'
    | 'zremrangebyscore' | 'zunionstore';
  type NullableNumberCommand = 'zrank' | 'zrevrank';
  type TextListCommand =
    | 'keys' | 'hkeys' | 'hvals' | 'lrange' | 'sdiff' | 'sinter' | 'sunion' | 'smembers'
    | 'zrange' | 'zrangebylex' | 'zrangebyscore' | 'zrevrange' | 'zrevrangebylex'
    | 'zrevrangebyscore' | 'zunion' | 'zinter' | 'zdiff' | 'zpopmin' | 'zpopmax' | 'time';
  type NullableTextListCommand = 'mget' | 'hmget' | 'zmscore' | 'geohash';
  type NumberListCommand =
    'smismember' | 'hexpire' | 'hpexpire' | 'httl' | 'hpttl' | 'hpersist' | 'hexpiretime';
  type BlockingPopCommand = 'blpop' | 'brpop';
  type ScoredPopCommand = 'bzpopmin' | 'bzpopmax';
  type ScanCommand = 'sscan' | 'hscan' | 'zscan';
  type TextOrListCommand = 'lpop' | 'rpop' | 'spop' | 'srandmember';
  type RawCommand =
    | 'acl' | 'bitfield' | 'bitfield_ro' | 'blmpop' | 'bzmpop' | 'client' | 'cluster' | 'command'
    | 'config' | 'debug' | 'eval' | 'eval_ro' | 'evalsha' | 'evalsha_ro' | 'failover' | 'fcall'
    | 'fcall_ro' | 'function' | 'geopos' | 'georadius' | 'georadius_ro' | 'georadiusbymember'
    | 'georadiusbymember_ro' | 'geosearch' | 'hexpireat' | 'hgetdel' | 'hgetex' | 'hpexpireat'
    | 'hpexpiretime' | 'hrandfield' | 'hsetex' | 'latency' | 'lcs' | 'lmpop' | 'lpos' | 'memory'
    | 'module' | 'msetex' | 'object' | 'pubsub' | 'replicaof' | 'role' | 'script' | 'slaveof'
    | 'slowlog' | 'sort' | 'sort_ro' | 'waitaof' | 'xautoclaim' | 'xclaim' | 'xgroup' | 'xinfo'
    | 'xpending' | 'xrange' | 'xread' | 'xreadgroup' | 'xrevrange' | 'xsetid' | 'zadd' | 'zincrby'
    | 'zmpop' | 'zrandmember' | 'arcount' | 'delex' | 'digest' | 'vadd' | 'vcard' | 'vdim'
    | 'vemb' | 'vgetattr' | 'vinfo' | 'vismember' | 'vlinks' | 'vrandmember' | 'vrem' | 'vsetattr'
    | 'vsim' | 'xackdel' | 'xdelex';

  /** What the methods of a command give, as text and as Buffers. */
  type Shapes = { [K in StatusCommand]: { text: string; buffer: Buffer } } & {
    [K in NullableTextCommand]: { text: string | null; buffer: Buffer | null };
  } & { [K in NumberCommand]: { text: number; buffer: number } } & {
    [K in NullableNumberCommand]: { text: number | null; buffer: number | null };
  } & { [K in TextListCommand]: { text: string[]; buffer: Buffer[] } } & {
    [K in NullableTextListCommand]: { text: Array<string | null>; buffer: Array<Buffer | null> };
  } & { [K in NumberListCommand]: { text: number[]; buffer: number[] } } & {
    [K in BlockingPopCommand]: { text: [string, string] | null; buffer: [Buffer, Buffer] | null };
  } & {
    [K in ScoredPopCommand]: {
      text: [string, string, string] | null;
      buffer: [Buffer, Buffer, Buffer] | null;
    };
  } & { [K in ScanCommand | 'scan']: { text: [string, string[]]; buffer: [Buffer, Buffer[]] } } & {
    [K in RawCommand]: { text: Reply; buffer: BufferReply };
  } & { hgetall: { text: Record<string, string>; buffer: Record<string, Buffer> } } & {
    [K in TextOrListCommand]: { text: string | null; buffer: Buffer | null };
  };

  type CommandName = keyof Shapes;

  /** A command on a client: a promise of `T`. */
  interface Command<T> {
    (...args: Arguments): Promise<T>;
    (...args: [...Arguments, Callback<T>]): Promise<T>;
  }
  /** Commands whose last argument may be an object or a Map. */
  interface FieldsCommand<T> extends Command<T> {
    (fields: Fields, callback?: Callback<T>): Promise<T>;
    (key: RedisKey, fields: Fields, callback?: Callback<T>): Promise<T>;
  }
  type SetExpiry = [unit: 'EX' | 'PX' | 'EXAT' | 'PXAT', time: number | string] | ['KEEPTTL'];
  type SetCondition =
    | [condition: 'NX' | 'XX']
    | [...SetExpiry, 'NX' | 'XX']
    | [condition: 'NX' | 'XX', ...SetExpiry];
  interface SetCommand<T> {
    (key: RedisKey, value: Argument, callback?: Callback<'OK'>): Promise<'OK'>;
    (key: RedisKey, value: Argument, ...options: SetExpiry): Promise<'OK'>;
    (key: RedisKey, value: Argument, ...options: [...SetExpiry, Callback<'OK'>]): Promise<'OK'>;
    (key: RedisKey, value: Argument, ...options: SetCondition): Promise<'OK' | null>;
    (
      key: RedisKey,
      value: Argument,
      ...options: [...SetCondition, Callback<'OK' | null>]
    ): Promise<'OK' | null>;
    /** With GET, or options in another order: the old value, null or "OK". */
    (key: RedisKey, value: Argument, ...options: Arguments): Promise<T>;
    (key: RedisKey, value: Argument, ...options: [...Arguments, Callback<T>]): Promise<T>;
  }
  interface PopCommand<One, Many> {
    (key: RedisKey, callback?: Callback<One>): Promise<One>;
    (key: RedisKey, count: number | string, callback?: Callback<Many>): Promise<Many>;
  }

  type Special = 'set' | 'mset' | 'msetnx' | 'hset' | 'hmset' | TextOrListCommand;

  type CommandMethods = { [K in Exclude<CommandName, Special>]: Command<Shapes[K]['text']> } & {
    [K in CommandName as `${K}Buffer`]: Command<Shapes[K]['buffer']>;
  } & { set: SetCommand<string | null> } & {
    [K in 'mset' | 'msetnx' | 'hset' | 'hmset']: FieldsCommand<Shapes[K]['text']>;
  } & { [K in TextOrListCommand]: PopCommand<string | null, string[] | null> };

  type Outcome = [error: Error | null, result: unknown];

  /** The same methods, gathering instead of sending. */
  type ChainableMethods = {
    [K in CommandName | `${CommandName}Buffer`]: (
      ...args: ReadonlyArray<Argument | ReadonlyArray<Argument> | Fields | Callback<never>>
    ) => ChainableCommander;
  };

  interface ChainableCommander extends ChainableMethods {
    readonly length: number;
    call(name: string, ...args: Arguments): ChainableCommander;
    callBuffer(name: string, ...args: Arguments): ChainableCommander;
    addBatch(
      commands: ReadonlyArray<readonly [name: string, ...args: Arguments]>,
    ): ChainableCommander;
    multi(): ChainableCommander;
    /** One [error, result] per command, in order; null when a transaction was not executed. */
    exec(callback?: Callback<Outcome[] | null>): Promise<Outcome[] | null>;
    execBuffer(callback?: Callback<Outcome[] | null>): Promise<Outcome[] | null>;
  }

  interface CommonEvents {
    wait: [];
    connecting: [];
    connect: [];
    ready: [];
    error: [error: Error];
    close: [];
    reconnecting: [delay: number];
    end: [];
  }
  interface ClusterEvents extends CommonEvents {
    refresh: [];
    '+node': [node: Redis, name: string];
    '-node': [node: Redis, name: string];
    'node error': [error: Error, name: string];
  }

  interface Emitter<Events> extends EventEmitter {
    on<E extends keyof Events & string>(
      event: E,
      listener: (...args: Events[E] & unknown[]) => void,
    ): this;
    on(event: string | symbol, listener: (...args: any[]) => void): this;
    once<E extends keyof Events & string>(
      event: E,
      listener: (...args: Events[E] & unknown[]) => void,
    ): this;
    once(event: string | symbol, listener: (...args: any[]) => void): this;
  }

  /** Everything that sends commands. */
  interface Sender {
    /** Any command by name. */
    call(name: string, ...args: Arguments): Promise<Reply>;
    call(name: string, ...args: [...Arguments, Callback<Reply>]): Promise<Reply>;
    callBuffer(name: string, ...args: Arguments): Promise<BufferReply>;
    callBuffer(name: string, ...args: [...Arguments, Callback<BufferReply>]): Promise<BufferReply>;
    send_command(name: string, ...args: Arguments): Promise<Reply>;
    pipeline(
      commands?: ReadonlyArray<readonly [name: string, ...args: Arguments]>,
    ): ChainableCommander;
    multi(
      commands?: ReadonlyArray<readonly [name: string, ...args: Arguments]>,
    ): ChainableCommander;
    getBuiltinCommands(): string[];
  }

  /** Commands and pipelines that end when a signal aborts. */
  interface AbortableCommands extends CommandMethods, Sender {}

  /** What Redis and Cluster share beside the commands. */
  interface Commander extends Sender {
    readonly status: RedisStatus;
    connect(callback?: Callback<void>): Promise<void>;
    disconnect(reconnect?: boolean): void;
    end(): void;
    quit(callback?: Callback<'OK'>): Promise<'OK'>;
    /**
     * The same client with commands that end when `signal` aborts: they reject with AbortedError.
     * The connection stays as it is, and the reply of a command that was sent is dropped. In a
     * pipeline each command still without an outcome gets that error; a transaction rejects as a
     * whole. Not in ioredis.
     */
    withAbortSignal(signal: AbortSignal): AbortableCommands;
    /** null before connecting and after the end. Not in ioredis. */
    stats(): Stats | null;
  }

  interface Cluster extends CommandMethods, Commander, Emitter<ClusterEvents> {}
  class Cluster {
    constructor(nodes: ClusterNode[], options?: ClusterOptions);
    readonly options: ClusterOptions;
    readonly isCluster: true;
    /** A client for each node known, connecting when first used. */
    nodes(role?: NodeRole): Redis[];
    duplicate(nodes?: ClusterNode[], override?: ClusterOptions): Cluster;
  }

  const version: string;
  const tlsVersion: string;
  function print(error: Error | null | undefined, reply?: unknown): void;
  function createClient(options?: RedisOptions): Redis;

  export import Redis = RedisClass;
}

import RedisClass = Redis;

interface Redis extends Redis.CommandMethods, Redis.Commander, Redis.Emitter<Redis.CommonEvents> {}

/** One server, or a primary with its replicas behind one endpoint. */
declare class Redis {
  constructor(port: number, host: string, options?: Redis.RedisOptions);
  constructor(port: number, options?: Redis.RedisOptions);
  constructor(url: string, options?: Redis.RedisOptions);
  constructor(options?: Redis.RedisOptions);
  readonly options: Redis.RedisOptions;
  readonly isCluster: false;
  readonly mode: 'normal';
  duplicate(override?: Redis.RedisOptions): Redis;
}

export = Redis;
