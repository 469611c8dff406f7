'use strict';
/**
 * The options of Redis.Cluster and the forms of its start-up nodes, and what they mean for the
 * core.
 */

const { REDIS_OPTIONS, PENDING_MAX, refuse, parseArguments, toCore, checks } = require('./options');

const { text, scripts, integer, milliseconds, boolean, callable, checked, as, only, unsupported } =
  checks;

const CLUSTER_DEFAULTS = {
  clusterRetryStrategy: (times) => Math.min(100 + times * 2, 2000),
  enableOfflineQueue: true,
  enableReadyCheck: true,
  lazyConnect: false,
  scaleReads: 'master',
  maxRedirections: 16,
};

const READ_FROM = { master: 'primary', slave: 'replica', all: 'any' };
/* Tries of one command while a shard has no primary: some ten seconds with the core's backoff, as
 * long as a failover takes. ioredis gives up after maxRedirections tries of 100 ms. */
const FAILOVER_RETRIES = 60;
/* ioredis dials nodes again within two seconds at the latest; the core's default is five. */
const NODE_BACKOFF_MS_MAX = 1000;

/**
 * ElastiCache's documentation asks for (address, callback) => callback(null, address), to keep host
 * names for TLS. The core always keeps them, so that function changes nothing; one that does more
 * cannot be honoured.
 */
function checkLookup(name, value) {
  const probe = 'name.invalid';
  let answer;
  callable(name, value)(probe, (error, address) => {
    answer = error ? undefined : address;
  });
  if (answer !== probe)
    throw refuse(`Option '${name}' is not supported: the core resolves names itself`);
}

/** { '10.0.0.1:7000': { host, port } } as the pairs of the core. */
function setAddressMap(name, value, set) {
  if (value === null || typeof value !== 'object')
    throw refuse(
      `Option '${name}' is an object of { host, port } by "host:port"; a function is not supported`,
    );
  const bracketed = (host) => (host.includes(':') ? `[${host}]` : host);
  const pairs = Object.entries(value).map(([announced, reached]) => {
    const { host, port } = reached ?? {};
    const colon = announced.lastIndexOf(':');
    const from = announced.slice(0, colon);
    if (colon < 1 || typeof host !== 'string' || !/^\d+$/.test(port))
      throw refuse(`Invalid option ${name}: "${announced}" wants { host, port }`);
    const left = from.startsWith('[') ? from : bracketed(from);
    return `${left}${announced.slice(colon)}=${bracketed(host)}:${port}`;
  });
  set('cluster_address_map', pairs.join(','));
}

function setReadFrom(name, value, set) {
  if (typeof value === 'function')
    throw refuse(`Option '${name}' as a function is not supported: the core picks replicas`);
  if (!Object.hasOwn(READ_FROM, value)) {
    throw refuse(`Invalid option ${name} "${value}". Expected "all", "master" or "slave"`);
  }
  set('read_from', READ_FROM[value]);
}

const CLUSTER_OPTIONS = {
  clusterRetryStrategy: checked(callable),
  enableOfflineQueue: checked(boolean),
  enableReadyCheck: checked(boolean),
  lazyConnect: checked(boolean),
  scaleReads: setReadFrom,
  maxRedirections: as('max_redirects', integer),
  slotsRefreshInterval: as('cluster_refresh_interval_ms', milliseconds),
  dnsLookup: checkLookup,
  tls: REDIS_OPTIONS.tls,
  enableAutoPipelining: checked(boolean),
  autoPipeliningIgnoredCommands: checked(() => {}),
  showFriendlyErrorStack: checked(boolean),
  maxPending: as('max_pending', integer),
  keyPrefix: checked(text),
  scripts: checked(scripts),
  useSRVRecords: only(false, 'name the configuration endpoint'),
  shardedSubscribers: checked(boolean),
  // Accepted without effect: the core waits with a backoff of its own.
  retryDelayOnMoved: checked(milliseconds),
  retryDelayOnFailover: checked(milliseconds),
  retryDelayOnClusterDown: checked(milliseconds),
  retryDelayOnTryAgain: checked(milliseconds),
  slotsRefreshTimeout: as('cluster_refresh_timeout_ms', milliseconds),
  clusterNodeRetryStrategy: unsupported('the core reconnects to nodes with backoff'),
  resolveSrv: unsupported('name the configuration endpoint'),
  natMap: setAddressMap,
};

/* ioredis sets these per node itself and ignores what redisOptions says. */
const RESERVED = [
  'host',
  'port',
  'path',
  'retryStrategy',
  'enableOfflineQueue',
  'readOnly',
  'lazyConnect',
];

const CLUSTER_CORE = [
  ['mode', 'cluster'],
  ['lanes', 1],
  ['protocol', 2],
  ['reply_form', 'wire'],
  ['connect_timeout_ms', 10000],
  ['max_retries', FAILOVER_RETRIES],
  ['reconnect_backoff_max_ms', NODE_BACKOFF_MS_MAX],
  ['max_pending', PENDING_MAX],
];

function endpointOf({ host, port }) {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Start-up nodes in any form as {host, port, ...}. */
function parseNodes(nodes) {
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw refuse('`startupNodes` should contain at least one node.');
  }
  return nodes.map((node) => parseArguments([node], { host: 'localhost', port: 6379 }));
}

/**
 * What every node connection shares: redisOptions, and credentials or TLS given with the first
 * node.
 */
function nodeOptions(nodes, options) {
  const { host, port, ...first } = nodes[0];
  const merged = { ...first, ...options.redisOptions };
  for (const name of RESERVED) delete merged[name];
  if (options.tls !== undefined) merged.tls = options.tls;
  return merged;
}

/** {options, perNode, core} of the arguments of new Cluster(nodes, options). */
function parseCluster(startupNodes, given = {}) {
  const nodes = parseNodes(startupNodes);
  const options = parseArguments([given], CLUSTER_DEFAULTS);
  const { redisOptions, ...own } = options;
  const perNode = nodeOptions(nodes, options);
  const first = [...CLUSTER_CORE, ['endpoints', nodes.map(endpointOf).join(',')]];
  for (const [name, value] of toCore(REDIS_OPTIONS, perNode, [])) first.push([name, value]);
  return { options, perNode, core: toCore(CLUSTER_OPTIONS, own, first) };
}

module.exports = { CLUSTER_OPTIONS, parseCluster };
