'use strict';
/**
 * What `require('tendon')` gives: the class Redis itself, with everything else attached to it, so that all
 * the spellings of ioredis work: default import, named import, and `Redis.Cluster`.
 */

const { Redis } = require('./redis');
const { Cluster } = require('./cluster');
const { Pipeline } = require('./pipeline');
const errors = require('./errors');
const native = require('./native');

Redis.Cluster = Cluster;
Redis.Redis = Redis;
Redis.default = Redis;
Redis.Pipeline = Pipeline;
Redis.createClient = (...args) => new Redis(...args);
Redis.print = (error, reply) => console.log(error ? `Error: ${error}` : `Reply: ${reply}`);
Redis.version = native.version;
Redis.tlsVersion = native.tlsVersion;
Object.assign(Redis, errors.classes);
Object.defineProperty(Redis, '__esModule', { value: true });

module.exports = Redis;
