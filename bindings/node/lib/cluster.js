'use strict';
/**
 * A cluster: the class Cluster of ioredis. Discovery, routing, redirects and the connections to
 * nodes are the core's; this file gives them the statuses and events of ioredis, and asks
 * clusterRetryStrategy while no node can be reached.
 */

const native = require('./native');
const { Client, delayOfAnswer } = require('./client');
const { Redis } = require('./redis');
const { classes, fromFailure, translating } = require('./errors');
const { commandTimeout, refuse } = require('./options');
const scanStream = require('./scan_stream');
const { CLUSTER_OPTIONS, parseCluster } = require('./cluster_options');

const { EVENT, REQUEST } = native;
const EVENT_MASK = [EVENT.READY, EVENT.CLOSED, EVENT.FAILED, EVENT.TOPOLOGY].reduce(
  (mask, event) => mask | (1 << event),
  0,
);
/* Options of nodes that the cluster's own commands follow, too. */
const NODE_OPTIONS = [
  'stringNumbers',
  'commandTimeout',
  'replyMapping',
  'keyPrefix',
  'scripts',
  'reconnectOnError',
];
const ROLES = { all: null, master: 'primary', slave: 'replica' };

class Cluster extends Client {
  constructor(startupNodes, given) {
    const { options, perNode, core } = parseCluster(startupNodes, given);
    const merged = {
      ...options,
    };
    for (const name of NODE_OPTIONS) if (merged[name] === undefined) merged[name] = perNode[name];
    super(merged, { core, timeoutMs: commandTimeout(perNode), eventMask: EVENT_MASK });
    this.startupNodes = startupNodes;
    this.options = merged;
    this._perNode = perNode;
  }

  /** Settings of a core client whose nodes have these options; a cluster has database 0 only. */
  _settingsWith({ db, username, password }) {
    if (db !== undefined && Number(db) !== 0)
      throw new classes.ReplyError('ERR SELECT is not allowed in cluster mode');
    const perNode = { ...this._perNode, username, password };
    const { core } = parseCluster(this.startupNodes, { ...this.options, redisOptions: perNode });
    this._perNode = perNode;
    return { ...this._settings, core };
  }

  get isCluster() {
    return true;
  }

  get _notReadyMessage() {
    return "Cluster isn't ready and enableOfflineQueue options is false";
  }

  /** A new client of the same cluster; `override` replaces some of the options. */
  duplicate(overrideNodes, override) {
    const nodes = overrideNodes && overrideNodes.length > 0 ? overrideNodes : this.startupNodes;
    const options = { ...this.options };
    for (const name of NODE_OPTIONS)
      if (!Object.hasOwn(CLUSTER_OPTIONS, name)) delete options[name];
    return new this.constructor(nodes, { ...options, ...override });
  }

  /** A client for each node known, connecting when first used: "all", "master" or "slave". */
  nodes(role = 'all') {
    if (!Object.hasOwn(ROLES, role))
      throw refuse(`Invalid role "${role}". Expected "all", "master" or "slave"`);
    return this._knownNodes()
      .filter((node) => ROLES[role] === null || node.role === ROLES[role])
      .map((node) => this._nodeClient(node.name));
  }

  _knownNodes() {
    if (this._id === null || this._closing) return [];
    const text = translating(() => native.nodes(this._id)) || '';
    const nodes = text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [name, role] = line.split(' ');
        return { name, role };
      });
    /* Start-up nodes stay known under the name they were given; the map has them under their own.
     */
    const mapped = nodes.filter(({ role }) => role !== 'unknown');
    return mapped.length > 0 ? mapped : nodes;
  }

  _nodeClient(name) {
    if (!this._nodeClients) this._nodeClients = new Map();
    let client = this._nodeClients.get(name);
    if (!client || client.status === 'end') {
      const at = name.lastIndexOf(':');
      const host = name.slice(0, at).replace(/^\[|\]$/g, '');
      client = new Redis({
        ...this._perNode,
        host,
        port: Number(name.slice(at + 1)),
        lazyConnect: true,
      });
      this._nodeClients.set(name, client);
    }
    return client;
  }

  _openCore() {
    clearTimeout(this._timer);
    this._openConnections = 0;
    super._openCore();
  }

  get _connectFlags() {
    return REQUEST.CONNECT | REQUEST.NO_RETRY;
  }

  /** The core has a map and a connection, or went once through all nodes in vain. */
  _onConnectOutcome(connected, failure) {
    if (this.status === 'end') return;
    if (connected) {
      this._attempts = 0;
      if (this.status === 'ready') return;
      this._setStatus('connect');
      this._setStatus('ready');
      return;
    }
    const last = fromFailure(failure);
    this._emitError(new classes.ClusterAllFailedError('Failed to refresh slots cache.', last));
    this._retry(last);
  }

  _onEvent(event, { node, failure }) {
    if (this._closing) return;
    switch (event) {
      case EVENT.READY:
        this._openConnections++;
        break;
      case EVENT.CLOSED:
        this._openConnections--;
        /* Idle connections come and go; whether no node can be reached is worth asking when the
         * last went. */
        if (this._openConnections <= 0 && this.status === 'ready') this._requestConnection();
        break;
      case EVENT.FAILED:
        if (failure) process.nextTick(() => this.emit('node error', fromFailure(failure), node));
        break;
      case EVENT.TOPOLOGY:
        this._onTopology();
        break;
      default:
    }
  }

  _onTopology() {
    const known = new Set(this._knownNodes().map(({ name }) => name));
    const before = this._known || new Set();
    this._known = known;
    process.nextTick(() => {
      for (const name of known) if (!before.has(name)) this._emitNode('+node', name);
      for (const name of before) if (!known.has(name)) this._emitNode('-node', name);
      this.emit('refresh');
    });
  }

  _emitNode(event, name) {
    if (this.listenerCount(event) > 0) this.emit(event, this._nodeClient(name), name);
  }

  _retry(reason) {
    this._setStatus('close');
    const { clusterRetryStrategy } = this.options;
    this._attempts++;
    const answer =
      typeof clusterRetryStrategy === 'function'
        ? clusterRetryStrategy(this._attempts, reason)
        : null;
    const delay = delayOfAnswer(answer);
    if (delay === null) {
      this._unreachable = true;
      this._giveUp();
      return;
    }
    this._setStatus('reconnecting', answer);
    this._timer = setTimeout(() => this.connect().catch(() => {}), delay);
  }

  _errorOfFailure(failure) {
    if (this._unreachable && failure.executed === 'no') {
      const error = new classes.ClusterAllFailedError(
        'None of startup nodes is available',
        this._lastError,
      );
      error.executed = 'no';
      return error;
    }
    return super._errorOfFailure(failure);
  }

  /* No node can be chosen before the first key is known. */
  async _beginTransaction() {
    throw refuse('multi({ pipeline: false }) is not supported by Cluster: use multi() and exec()');
  }

  /** As in ioredis, an ended Cluster has quit already, while an ended Redis says it is closed. */
  _quit() {
    return this.status === 'end' ? Promise.resolve('OK') : super._quit();
  }

  _close() {
    clearTimeout(this._timer);
    for (const client of this._nodeClients ? this._nodeClients.values() : []) client.disconnect();
    super._close();
  }
}

scanStream.install(Cluster.prototype, ['sscan', 'hscan', 'zscan']);

module.exports = { Cluster };
