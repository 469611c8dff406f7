'use strict';
/**
 * The options of ioredis, and what each means for the core. An option that cannot be honoured is
 * refused by name at construction; nothing that would change behaviour is ignored.
 */

const { classes } = require('./errors');
const { parseString } = require('./url');

const TIMEOUT_NONE = -1;
/* Longest connect timeout the core takes, for `connectTimeout: 0`, which means none. */
const CONNECT_TIMEOUT_MS_MAX = 3600000;
/* ioredis queues without limit; a million waiting commands is a leak of the caller, told instead of
 * hidden. */
const PENDING_MAX = 1000000;

const REDIS_DEFAULTS = {
  host: 'localhost',
  port: 6379,
  family: 0,
  db: 0,
  username: null,
  password: null,
  connectTimeout: 10000,
  keepAlive: 30000,
  noDelay: true,
  connectionName: null,
  disableClientInfo: false,
  retryStrategy: (times) => Math.min(2 ** (times - 1) * 50, 5000) + Math.floor(Math.random() * 200),
  maxRetriesPerRequest: 20,
  enableReadyCheck: true,
  enableOfflineQueue: true,
  lazyConnect: false,
  stringNumbers: false,
  showFriendlyErrorStack: false,
};

function refuse(message) {
  return new classes.ConfigError(message, {
    status: 'CONFIG',
    executed: 'no',
    attempts: 0,
    elapsedMs: 0,
    node: '',
  });
}

function show(value) {
  return typeof value === 'string' ? `"${value}"` : String(value);
}

/* Checks: each takes (name, value) and throws, or returns the value as the core wants it. */

function integer(name, value) {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (!Number.isSafeInteger(number))
    throw refuse(`Option '${name}' is ${show(value)}, but wants a whole number`);
  return number;
}

function milliseconds(name, value) {
  const number = integer(name, value);
  if (number < 0) throw refuse(`Option '${name}' is ${value}, but wants milliseconds from 0`);
  return number;
}

function boolean(name, value) {
  if (typeof value !== 'boolean')
    throw refuse(`Option '${name}' is ${show(value)}, but wants true or false`);
  return value;
}

function text(name, value) {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value;
  throw refuse(`Option '${name}' wants a string`);
}

function callable(name, value) {
  if (typeof value !== 'function')
    throw refuse(`Option '${name}' wants a function, not ${show(value)}`);
  return value;
}

function scripts(name, value) {
  if (typeof value !== 'object') throw refuse(`Option '${name}' wants an object of scripts`);
  for (const [script, definition] of Object.entries(value)) {
    if (!definition || typeof definition.lua !== 'string')
      throw refuse(`Option '${name}.${script}' wants {lua: source}`);
  }
}

function pem(name, value) {
  const parts = Array.isArray(value) ? value : [value];
  return parts.map((part) => text(name, part).toString()).join('\n');
}

/* Node takes several identities and shows the one the server likes; the core has one. */
function onePem(name, value) {
  if (Array.isArray(value))
    throw refuse(`Option '${name}' wants one PEM text, not several: the core has one identity`);
  return text(name, value);
}

function yesNo(value) {
  return value ? 'yes' : 'no';
}

/**
 * An option that changes something the core does otherwise: only the value that changes nothing
 * passes.
 */
function only(allowed, why) {
  return (name, value) => {
    if (value !== allowed) throw refuse(`Option '${name}' is not supported: ${why}`);
  };
}

function unsupported(why) {
  return (name) => {
    throw refuse(`Option '${name}' is not supported: ${why}`);
  };
}

const checked = (check) => (name, value) => void check(name, value);
/** Passed to the core under its own name there. */
const as = (core, check) => (name, value, set) => set(core, check(name, value));

const FAMILIES = new Map([
  [0, 'any'],
  [4, 'ipv4'],
  [6, 'ipv6'],
  ['IPv4', 'ipv4'],
  ['IPv6', 'ipv6'],
]);
const LATER = 'it follows in a later version';
const SENTINEL = 'Sentinel is not supported; connect to the primary or the cluster endpoint';

const TLS_OPTIONS = {
  ca: as('tls_ca_pem', pem),
  caFile: as('tls_ca_file', text),
  caDir: as('tls_ca_dir', text),
  certFile: as('tls_cert_file', text),
  keyFile: as('tls_key_file', text),
  cert: as('tls_cert_pem', onePem),
  key: as('tls_key_pem', onePem),
  passphrase: as('tls_key_password', text),
  servername: as('tls_server_name', text),
  rejectUnauthorized: (name, value, set) =>
    set('tls_insecure_skip_verify', yesNo(!boolean(name, value))),
  insecureSkipHostname: (name, value, set) =>
    set('tls_insecure_skip_hostname', yesNo(boolean(name, value))),
  ciphers: as('tls_ciphers', text),
  minVersion(name, value, set) {
    const version = { 'TLSv1.2': '1.2', 'TLSv1.3': '1.3' }[value];
    if (!version)
      throw refuse(
        `Option '${name}' is ${show(value)}, but the oldest TLS spoken is TLSv1.2 or TLSv1.3`,
      );
    set('tls_min_version', version);
  },
  maxVersion: only('TLSv1.3', 'the core speaks the newest version both sides know'),
  checkServerIdentity: unsupported(
    'set tls.servername, or tls.insecureSkipHostname to accept any name',
  ),
};

function setTls(name, value, set) {
  if (value === false) return;
  set('tls', 'yes');
  if (value === true) return;
  if (typeof value !== 'object')
    throw refuse(`Option '${name}' wants true or an object, not ${show(value)}`);
  for (const [inner, setting] of Object.entries(value)) {
    if (setting === undefined || setting === null) continue;
    apply(TLS_OPTIONS, `${name}.${inner}`, inner, setting, set);
  }
}

/* name -> (name, value, set): checks the value and tells the core. */
const REDIS_OPTIONS = {
  host: as('host', text),
  port: as('port', integer),
  path: as('unix_socket', text),
  family(name, value, set) {
    const family = FAMILIES.get(value);
    if (!family) throw refuse(`Option '${name}' is ${show(value)}, but wants 0, 4 or 6`);
    set('address_family', family);
  },
  db: as('db', integer),
  username: as('username', text),
  password: as('password', text),
  connectTimeout: (name, value, set) =>
    set('connect_timeout_ms', milliseconds(name, value) || CONNECT_TIMEOUT_MS_MAX),
  commandTimeout: checked(milliseconds),
  socketTimeout: as('read_timeout_ms', milliseconds),
  keepAlive(name, value, set) {
    if (milliseconds(name, value) > 0)
      set('tcp_keepalive_idle_s', Math.max(1, Math.ceil(value / 1000)));
  },
  noDelay: only(true, 'the core always sends at once; it batches by itself'),
  tls: setTls,
  retryStrategy: checked(callable),
  maxRetriesPerRequest(name, value, set) {
    set('max_retries', Math.max(-1, integer(name, value)));
  },
  enableReadyCheck: checked(boolean),
  enableOfflineQueue: checked(boolean),
  lazyConnect: checked(boolean),
  autoResendUnfulfilledCommands: (name, value, set) =>
    set('retry_unsafe', yesNo(boolean(name, value))),
  autoResubscribe: checked(boolean),
  connectionName: as('client_name', text),
  disableClientInfo(name, value, set) {
    if (boolean(name, value)) set('lib_name', '');
  },
  clientInfoTag: (name, value, set) => set('lib_name', `tendon(${text(name, value)})`),
  stringNumbers: checked(boolean),
  showFriendlyErrorStack: checked(boolean),
  protocol(name, value, set) {
    if (value !== 2 && value !== 3)
      throw refuse(`Option '${name}' is ${show(value)}, but wants 2 or 3`);
    set('protocol', String(value));
  },
  replyMapping(name, value, set) {
    if (value !== 'legacy' && value !== 'resp3')
      throw refuse(`Option '${name}' is ${show(value)}, but wants "legacy" or "resp3"`);
    if (value !== 'resp3') return;
    set('protocol', '3');
    set('reply_form', 'resp3');
  },
  enableAutoPipelining: checked(boolean),
  autoPipeliningIgnoredCommands: checked(() => {}),
  maxPending: as('max_pending', integer),
  /* Accepted at the value that says what the core does anyway, refused otherwise. */
  keyPrefix: checked(text),
  scripts: checked(scripts),
  readOnly: only(false, 'use Cluster with scaleReads'),
  monitor: checked(boolean),
  reconnectOnError: checked(callable),
  Connector: unsupported('the core owns the connections'),
  blockingTimeout: unsupported(
    'blocking commands have a connection of their own and the timeout they name',
  ),
  blockingTimeoutGrace: unsupported(
    'blocking commands have a connection of their own and the timeout they name',
  ),
  disconnectTimeout: unsupported('the core closes its connections at once'),
  maxLoadingRetryTime: unsupported('a loading server counts as one retry of the command'),
  sentinels: unsupported(SENTINEL),
  name: unsupported(SENTINEL),
  role: unsupported(SENTINEL),
  sentinelUsername: unsupported(SENTINEL),
  sentinelPassword: unsupported(SENTINEL),
  sentinelRetryStrategy: unsupported(SENTINEL),
  preferredSlaves: unsupported(SENTINEL),
  natMap: unsupported(LATER),
};

/** Levenshtein distance, to name the option that was probably meant. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j] + 1, next[j - 1] + 1);
    }
    row = next;
  }
  return row[b.length];
}

function nearest(names, name) {
  let best = null;
  for (const candidate of names) {
    const away = distance(candidate.toLowerCase(), name.toLowerCase());
    if (away <= 1 + name.length / 4 && (!best || away < best.away)) best = { candidate, away };
  }
  return best ? `; did you mean '${best.candidate}'?` : '; index.d.ts lists every option';
}

function apply(table, shownName, name, value, set) {
  if (!Object.hasOwn(table, name)) {
    throw refuse(`Unknown option '${shownName}'${nearest(Object.keys(table), name)}`);
  }
  table[name](shownName, value, set);
}

/** The arguments of `new Redis(...)` as one object; of two that say the same the earlier wins. */
function parseArguments(args, defaults) {
  const merged = {};
  for (const argument of args) {
    if (argument === null || argument === undefined) continue;
    let options;
    if (typeof argument === 'number') options = { port: argument };
    else if (typeof argument === 'string') {
      options =
        merged.port !== undefined && merged.host === undefined && !argument.includes('/')
          ? { host: argument }
          : parseString(argument);
    } else if (typeof argument === 'object') options = argument;
    else throw refuse(`Invalid argument ${String(argument)}`);
    for (const [name, value] of Object.entries(options)) {
      /* rediss:// only says that TLS is wanted; an object beside it says how. */
      const saysMore = name === 'tls' && merged.tls === true && typeof value === 'object';
      if (merged[name] === undefined || saysMore) merged[name] = value;
    }
  }
  for (const name of ['port', 'db']) {
    if (typeof merged[name] === 'string') merged[name] = integer(name, merged[name]);
  }
  for (const [name, value] of Object.entries(defaults)) {
    if (merged[name] === undefined) merged[name] = value;
  }
  return merged;
}

/** Core settings of `options` by `table`, on top of `first`: [[name, Buffer], …]. */
function toCore(table, options, first) {
  const settings = new Map(first);
  const set = (name, value) => settings.set(name, value);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) {
      if (name === 'maxRetriesPerRequest' && value === null) set('max_retries', -1);
      continue;
    }
    apply(table, name, name, value, set);
  }
  return [...settings].map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? value : Buffer.from(String(value)),
  ]);
}

/** Milliseconds each command may take, or no limit, which is the default of ioredis. */
function commandTimeout(options) {
  return options.commandTimeout > 0 ? Number(options.commandTimeout) : TIMEOUT_NONE;
}

/* One lane, so that the commands of one object keep their order; the program decides about
 * reconnecting. */
const REDIS_CORE = [
  ['mode', 'standalone'],
  ['lanes', 1],
  ['protocol', 2],
  ['reply_form', 'wire'],
  ['reconnect', 'host'],
  ['max_pending', PENDING_MAX],
];

function redisToCore(options) {
  if (options.replyMapping === 'resp3' && options.protocol === 2)
    throw refuse('Option \'replyMapping\' "resp3" wants protocol 3');
  return toCore(REDIS_OPTIONS, options, REDIS_CORE);
}

module.exports = {
  REDIS_DEFAULTS,
  REDIS_OPTIONS,
  PENDING_MAX,
  refuse,
  parseArguments,
  toCore,
  redisToCore,
  commandTimeout,
  checks: {
    text,
    scripts,
    integer,
    milliseconds,
    boolean,
    callable,
    checked,
    as,
    only,
    unsupported,
  },
};
