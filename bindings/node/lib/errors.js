'use strict';
/**
 * Every error class, and the way from a failure of the core to one of them.
 *
 * The first group has the names and messages ioredis uses; the second says what ioredis does not
 * tell: the core's status, whether the command was executed, and what to do.
 */

const refusals = require('./generated/refusals');

class RedisError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/**
 * The server answered with an error. `command` is {name, args}; `message` is the server's whole
 * line.
 */
class ReplyError extends RedisError {
  constructor(message) {
    super(message);
    /* "no" when the server refused the command, else "unknown". */
    this.executed = refusals.has(message.split(' ', 1)[0]) ? 'no' : 'unknown';
  }

  get name() {
    return 'ReplyError';
  }
}

class AbortError extends RedisError {}
class ParserError extends RedisError {}

/**
 * A command waited for more failed connections than `maxRetriesPerRequest` allows; `cause` is the
 * last.
 */
class MaxRetriesPerRequestError extends AbortError {
  constructor(limit, options) {
    super(
      `Reached the max retries per request limit (which is ${limit}). ` +
        'Refer to "maxRetriesPerRequest" option for details.',
      options,
    );
  }
}

class ClusterAllFailedError extends RedisError {
  constructor(message, lastNodeError) {
    super(message, { cause: lastNodeError });
    this.lastNodeError = lastNodeError;
  }
}

/**
 * A failure the core reports: `status`, `executed` ("no", "yes", "unknown"), `attempts`, `node`,
 * `elapsedMs`.
 */
class TendonError extends RedisError {
  constructor(message, failure, options) {
    super(message, options);
    if (failure) takeFields(this, failure);
  }
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
/* What is known of a command that never came to the core. */
const NOT_SENT = { executed: 'no', attempts: 0, elapsedMs: 0, node: '' };

class ClosedError extends TendonError {
  constructor(failure, cause) {
    const known = failure || { ...NOT_SENT, status: 'CLOSED' };
    super('Connection is closed.', known, cause ? { cause } : undefined);
  }
}

/** The command's AbortSignal ended it; `cause` is the signal's reason. */
class AbortedError extends TendonError {
  constructor(failure, reason) {
    super(
      'The command was aborted',
      { ...NOT_SENT, ...failure, status: 'CANCELLED' },
      reason === undefined ? undefined : { cause: reason },
    );
    this.code = 'ABORT_ERR';
  }
  get name() {
    return 'AbortError';
  }
}

/** The server refused the credentials. A ReplyError, as in ioredis, because the server said so. */
class AuthError extends ReplyError {
  constructor(message, failure) {
    super(message);
    takeFields(this, failure);
  }
}

/* Programs written for ioredis look at the codes Node's sockets give. */
const CODES = {
  RESOLVE: 'ENOTFOUND',
  CONNECT: 'ECONNREFUSED',
  CONNECT_TIMEOUT: 'ETIMEDOUT',
  DISCONNECTED: 'ECONNRESET',
};

const CLASSES_BY_STATUS = {
  CONFIG: ConfigError,
  URL: ConfigError,
  TLS_CONFIG: ConfigError,
  UNSUPPORTED: ConfigError,
  RESOLVE: ConnectError,
  CONNECT: ConnectError,
  CONNECT_TIMEOUT: ConnectTimeoutError,
  HANDSHAKE: ConnectError,
  TLS: TlsError,
  TLS_CERTIFICATE: TlsError,
  TLS_HOSTNAME: TlsError,
  AUTH: AuthError,
  DISCONNECTED: DisconnectedError,
  TIMEOUT: TimeoutError,
  PROTOCOL: ProtocolError,
  LIMIT: LimitError,
  POOL_EXHAUSTED: PoolError,
  POOL_TIMEOUT: PoolError,
  NO_NODE: ClusterError,
  TOPOLOGY: ClusterError,
  REDIRECTS: ClusterError,
  CROSSSLOT: ClusterError,
};

/* Statuses that say there was no connection to send on, and that may pass: what
 * `maxRetriesPerRequest` counts. */
const CONNECTION_STATUSES = new Set([
  'RESOLVE',
  'CONNECT',
  'CONNECT_TIMEOUT',
  'TLS',
  'DISCONNECTED',
]);

/* The core's remedies name its options; a program knows them by these names. */
const OPTION_NAMES = {
  unix_socket: 'path',
  client_name: 'connectionName',
  lib_name: 'clientInfoTag',
  address_family: 'family',
  connect_timeout_ms: 'connectTimeout',
  command_timeout_ms: 'commandTimeout',
  read_timeout_ms: 'socketTimeout',
  tcp_keepalive_idle_s: 'keepAlive',
  max_retries: 'maxRetriesPerRequest',
  max_redirects: 'maxRedirections',
  max_pending: 'maxPending',
  cluster_refresh_interval_ms: 'slotsRefreshInterval',
  cluster_refresh_timeout_ms: 'slotsRefreshTimeout',
  endpoints: 'startupNodes',
  tls_ca_pem: 'tls.ca',
  tls_ca_file: 'tls.caFile',
  tls_ca_dir: 'tls.caDir',
  tls_cert_file: 'tls.certFile',
  tls_key_file: 'tls.keyFile',
  tls_cert_pem: 'tls.cert',
  tls_key_pem: 'tls.key',
  tls_key_password: 'tls.passphrase',
  tls_server_name: 'tls.servername',
  tls_ciphers: 'tls.ciphers',
  tls_min_version: 'tls.minVersion',
};
const OPTION_PATTERN = new RegExp(`\\b(${Object.keys(OPTION_NAMES).join('|')})\\b`, 'g');

/** A plain Error, as ioredis has it, of a command that is not sent. */
function notSent(message) {
  return Object.assign(new Error(message), { executed: 'no' });
}

function inOurWords(message) {
  return message.replace(OPTION_PATTERN, (name) => OPTION_NAMES[name]);
}

function takeFields(error, failure) {
  error.status = failure.status;
  error.executed = failure.executed;
  error.attempts = failure.attempts;
  error.elapsedMs = failure.elapsedMs;
  error.node = failure.node;
  error.code = CODES[failure.status] || `TENDON_${failure.status}`;
  if (failure.prefix) error.prefix = failure.prefix;
}

/** The error of a failure, by its status alone. */
function fromFailure(failure) {
  if (failure.status === 'CLOSED') return new ClosedError(failure);
  const Class = CLASSES_BY_STATUS[failure.status] || TendonError;
  return new Class(inOurWords(failure.message), failure);
}

/** Runs `call`; the plain object the addon throws becomes an instance of its class. */
function translating(call) {
  try {
    return call();
  } catch (thrown) {
    throw thrown instanceof Error ? thrown : fromFailure(thrown);
  }
}

module.exports = {
  fromFailure,
  notSent,
  NOT_SENT,
  translating,
  CONNECTION_STATUSES,
  classes: {
    RedisError,
    ReplyError,
    AbortError,
    ParserError,
    MaxRetriesPerRequestError,
    ClusterAllFailedError,
    TendonError,
    ConfigError,
    ConnectError,
    ConnectTimeoutError,
    TlsError,
    TimeoutError,
    DisconnectedError,
    ProtocolError,
    LimitError,
    PoolError,
    ClusterError,
    ClosedError,
    AbortedError,
    AuthError,
  },
};
