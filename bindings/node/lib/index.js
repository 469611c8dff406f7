'use strict';
/**
 * What `require('tendon')` gives: the class Redis itself, with everything else attached to it, so
 * that all the spellings of ioredis work: default import, named import, and `Redis.Cluster`.
 */

const { Redis } = require('./redis');
const { Cluster } = require('./cluster');
const { Pipeline } = require('./pipeline');
const { Command } = require('./command');
const { ScanStream } = require('./scan_stream');
const errors = require('./errors');
const native = require('./native');

/* Spelt as assignments to `exports`, because that is what Node finds the names of an ESM import by.
 */
exports = module.exports = Redis;
exports.default = Redis;
exports.Redis = Redis;
exports.Cluster = Cluster;
exports.Pipeline = Pipeline;
exports.Command = Command;
exports.ScanStream = ScanStream;
exports.createClient = (...args) => new Redis(...args);
exports.print = (error, reply) => console.log(error ? `Error: ${error}` : `Reply: ${reply}`);
exports.version = native.version;
exports.tlsVersion = native.tlsVersion;
exports.RedisError = errors.classes.RedisError;
exports.ReplyError = errors.classes.ReplyError;
exports.MaxRetriesPerRequestError = errors.classes.MaxRetriesPerRequestError;
exports.TendonError = errors.classes.TendonError;
Object.assign(exports, errors.classes);
Object.defineProperty(exports, '__esModule', { value: true });
