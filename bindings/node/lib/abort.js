'use strict';
/**
 * AbortSignals: which requests each of them ends. One listener per signal however many commands it
 * has, and none while it has none, so that a signal as old as the program collects nothing.
 */

const watched = new WeakMap(); // signal -> {requests, listener}

function watch(signal, request) {
  let entry = watched.get(signal);
  if (entry === undefined) {
    const requests = new Set();
    const listener = () => {
      for (const each of [...requests]) each.cancel();
    };
    entry = { requests, listener };
    watched.set(signal, entry);
  }
  if (entry.requests.size === 0) signal.addEventListener('abort', entry.listener);
  entry.requests.add(request);
}

function unwatch(signal, request) {
  const { requests, listener } = watched.get(signal);
  requests.delete(request);
  if (requests.size === 0) signal.removeEventListener('abort', listener);
}

/** Throws unless `signal` is an AbortSignal; one of another realm or of a polyfill will do. */
function check(signal) {
  if (signal && typeof signal.addEventListener === 'function' && 'aborted' in signal) return;
  const error = new TypeError('withAbortSignal() wants an AbortSignal');
  error.code = 'ERR_INVALID_ARG_TYPE';
  throw error;
}

module.exports = { watch, unwatch, check };
