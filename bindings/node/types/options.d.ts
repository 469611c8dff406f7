/** The options of Redis and Cluster; names, meaning and defaults as in ioredis. */
/// <reference types="node" />

/**
 * The TLS settings of Node that the core can honour, plus files and its own spelling of the
 * insecure ones.
 */
export interface TlsOptions {
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

export type ReplyMapping = 'legacy' | 'resp3';

export interface ScriptDefinition {
  lua: string;
  /** Without it the first argument of each call says how many keys follow. */
  numberOfKeys?: number;
  /** It changes nothing: may run on a replica, and again after a lost connection. */
  readOnly?: boolean;
}

/** Options every connection has; times are milliseconds. */
export interface CommonRedisOptions {
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
  /** "resp3": maps as objects, scores as numbers in pairs. Default: the flat lists of RESP2. */
  replyMapping?: ReplyMapping;
  enableAutoPipelining?: boolean;
  autoPipeliningIgnoredCommands?: string[];
  /** In front of every key a command names; not of patterns, and not taken off replies. */
  keyPrefix?: string | Buffer;
  /** Asked about every error reply: true or 1 reconnects, 2 also sends the command again. */
  reconnectOnError?: ((error: Error) => boolean | 1 | 2) | null;
  /** Commands made of Lua scripts, as by defineCommand(). */
  scripts?: Record<string, ScriptDefinition>;
  /** Milliseconds until attempt number `times`; anything that is no number ends the client. */
  retryStrategy?: ((times: number) => number | void | null) | null;
  enableOfflineQueue?: boolean;
  lazyConnect?: boolean;
  /** Commands under way at most. Default a million. */
  maxPending?: number;
}

export interface RedisOptions extends CommonRedisOptions {
  host?: string;
  port?: number | string;
  /** Path of a Unix socket. */
  path?: string;
  readOnly?: false;
  monitor?: boolean;
}

export type DNSLookupFunction = (
  hostname: string,
  callback: (
    error: NodeJS.ErrnoException | null | undefined,
    address: string,
    family?: number,
  ) => void,
) => void;
export interface NatMap {
  [announced: string]: { host: string; port: number };
}
export type NodeRole = 'all' | 'master' | 'slave';
export type ClusterNode =
  string | number | ({ host?: string; port?: number | string } & CommonRedisOptions);

export interface ClusterOptions {
  clusterRetryStrategy?: ((times: number, reason?: Error) => number | void | null) | null;
  enableOfflineQueue?: boolean;
  enableReadyCheck?: boolean;
  lazyConnect?: boolean;
  /** Where read-only commands go. Default "master". */
  scaleReads?: NodeRole;
  /** MOVED and ASK one command follows. Default 16. */
  maxRedirections?: number;
  slotsRefreshInterval?: number;
  slotsRefreshTimeout?: number;
  retryDelayOnMoved?: number;
  retryDelayOnFailover?: number;
  retryDelayOnClusterDown?: number;
  retryDelayOnTryAgain?: number;
  redisOptions?: RedisOptions;
  /**
   * Accepted when it answers with the name it was asked for; the core keeps host names for TLS
   * anyway.
   */
  dnsLookup?: DNSLookupFunction;
  /** How nodes are reached that announce themselves, or are named by a redirect, as "host:port". */
  natMap?: NatMap;
  useSRVRecords?: false;
  /** Accepted; sharded channels need nothing of the kind here. */
  shardedSubscribers?: boolean;
  tls?: boolean | TlsOptions;
  enableAutoPipelining?: boolean;
  autoPipeliningIgnoredCommands?: string[];
  showFriendlyErrorStack?: boolean;
  keyPrefix?: string | Buffer;
  scripts?: Record<string, ScriptDefinition>;
  maxPending?: number;
}
