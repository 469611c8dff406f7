'use strict';
/** Node-style callbacks beside promises, with the order and the timing ioredis has. */

/** Takes the trailing node-style callback off `args`, if there is one. */
function splitCallback(args) {
  return typeof args[args.length - 1] === 'function' ? args.pop() : undefined;
}

/**
 * Calls a node-style callback the way Node does: later, and an exception in it is an uncaught one.
 */
function callLater(callback, error, value) {
  process.nextTick(callback, error, value);
}

/** `promise` after its node-style callback, if there is one: that is first, as in ioredis. */
function afterCallback(promise, callback) {
  if (typeof callback !== 'function') return promise;
  const after = new Promise((resolve, reject) => {
    promise.then(
      (value) => {
        callLater(callback, null, value);
        process.nextTick(resolve, value);
      },
      (error) => {
        callLater(callback, error);
        process.nextTick(reject, error);
      },
    );
  });
  /* The callback has been told; the promise may go unused. */
  after.catch(() => {});
  return after;
}

module.exports = { splitCallback, callLater, afterCallback };
