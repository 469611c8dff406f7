'use strict';
/**
 * Channels of node:diagnostics_channel under the names ioredis has, so that its subscribers go on
 * working: single commands, transactions and connecting. Of arguments only keys are told.
 */

const diagnostics = require('node:diagnostics_channel');
const { keyPositions } = require('./keys');

const channelOf = (name) =>
  typeof diagnostics.tracingChannel === 'function' ? diagnostics.tracingChannel(name) : undefined;
const COMMAND = channelOf('ioredis:command');
const BATCH = channelOf('ioredis:batch');
const CONNECT = channelOf('ioredis:connect');

/** Whether anybody listens; asked for every command. */
function isTraced(channel) {
  return (
    channel !== undefined &&
    (channel.start.hasSubscribers ||
      channel.asyncEnd.hasSubscribers ||
      channel.error.hasSubscribers)
  );
}

function serverOf({ options }) {
  if (options.path !== undefined) return { serverAddress: options.path, serverPort: undefined };
  return { serverAddress: options.host, serverPort: options.port };
}

function trace(channel, run, context) {
  const traced = channel.tracePromise(run, context);
  traced.catch(() => {});
  return traced;
}

function traceCommand(client, command, args, run) {
  const list = args.flat();
  const keys = new Set(keyPositions(command.lowerName, list));
  return trace(COMMAND, run, {
    command: command.lowerName,
    args: list.map((each, i) => (keys.has(i) ? String(each) : '?')),
    database: Number(client.options.db) || 0,
    ...serverOf(client),
  });
}

function traceBatch(client, batchSize, run) {
  const database = Number(client.options.db) || 0;
  return trace(BATCH, run, { batchMode: 'MULTI', batchSize, database, ...serverOf(client) });
}

function traceConnect(client, connectionEpoch, run) {
  return trace(CONNECT, run, { ...serverOf(client), connectionEpoch });
}

module.exports = { COMMAND, BATCH, CONNECT, isTraced, traceCommand, traceBatch, traceConnect };
