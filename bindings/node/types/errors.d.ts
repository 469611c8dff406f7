/** Every error class. */

export type Executed = 'no' | 'yes' | 'unknown';

export declare class RedisError extends Error {
  /** The command that failed, where one did. */
  command?: { name: string; args: Array<string | Buffer> };
}
/** The server answered with an error; `message` is its whole line. */
export declare class ReplyError extends RedisError {
  /** "no" when the server refused the command, else "unknown". */
  readonly executed: Executed;
  /** EXECABORT only: what the server said to the commands of the transaction. */
  previousErrors?: Error[];
}
export declare class AbortError extends RedisError {}
export declare class ParserError extends RedisError {}
export declare class MaxRetriesPerRequestError extends AbortError {
  executed: Executed;
  readonly cause: Error;
}
export declare class ClusterAllFailedError extends RedisError {
  lastNodeError?: Error;
  /** Where it is the error of a command. */
  executed?: 'no';
}
/** A failure of the core. */
export declare class TendonError extends RedisError {
  /** Name of the status, such as "CONNECT_TIMEOUT". */
  status: string;
  executed: Executed;
  attempts: number;
  elapsedMs: number;
  /** "host:port" of the last attempt, or "". */
  node: string;
  code: string;
  prefix?: string;
}
export declare class ConfigError extends TendonError {}
export declare class ConnectError extends TendonError {}
export declare class TlsError extends ConnectError {}
export declare class TimeoutError extends TendonError {}
export declare class ConnectTimeoutError extends TimeoutError {}
export declare class DisconnectedError extends TendonError {}
export declare class ProtocolError extends TendonError {}
export declare class LimitError extends ProtocolError {}
export declare class PoolError extends TendonError {}
export declare class ClusterError extends TendonError {}
export declare class ClosedError extends TendonError {}
/**
 * The command's AbortSignal ended it; `cause` is the signal's reason. `executed` is "no" when
 * nothing was sent, "unknown" when no answer had come, "yes" when one had.
 */
export declare class AbortedError extends TendonError {
  readonly name: 'AbortError';
  code: 'ABORT_ERR';
}
export declare class AuthError extends ReplyError {
  status: string;
  executed: Executed;
  prefix?: string;
}
