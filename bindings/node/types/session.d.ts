/** Commands that change the connection they run on, and the generic call: those written by hand. */
/// <reference types="node" />
import type {
  Callback,
  ClientContext,
  Flat,
  Outcome,
  RedisKey,
  Result,
  Shaped,
  Value,
} from './replies';

type Arguments = Flat<Value>[];
type Properties<Context extends ClientContext> = Shaped<
  unknown[],
  Record<string, unknown>,
  Context
>;

export interface SessionCommands<Context extends ClientContext> {
  /** Any command by name; strings of its reply are text. */
  call(
    ...args: [command: string, ...args: Arguments, callback: Callback<unknown>]
  ): Result<unknown, Context>;
  call(...args: [command: string, ...args: Arguments]): Result<unknown, Context>;
  /** As call; strings of the reply are Buffers. */
  callBuffer(
    ...args: [command: string, ...args: Arguments, callback: Callback<unknown>]
  ): Result<unknown, Context>;
  callBuffer(...args: [command: string, ...args: Arguments]): Result<unknown, Context>;

  /** Credentials for this and every later connection of the client. */
  auth(password: string | Buffer, callback?: Callback<'OK'>): Result<'OK', Context>;
  auth(
    username: string | Buffer,
    password: string | Buffer,
    callback?: Callback<'OK'>,
  ): Result<'OK', Context>;
  /** What the server is; settles the protocol and credentials of every later connection, too. */
  hello(
    ...args: [...args: Arguments, callback: Callback<Properties<Context>>]
  ): Result<Properties<Context>, Context>;
  hello(...args: Arguments): Result<Properties<Context>, Context>;
  /** Another database, for this and every later connection of the client. */
  select(index: number | string, callback?: Callback<'OK'>): Result<'OK', Context>;
  reset(callback?: Callback<'OK'>): Result<'OK', Context>;
  quit(callback?: Callback<'OK'>): Result<'OK', Context>;

  /** From here to exec(), discard() or unwatch() the commands of a client share a connection. */
  watch(...args: [...keys: Flat<RedisKey>[], callback: Callback<'OK'>]): Result<'OK', Context>;
  watch(...args: Flat<RedisKey>[]): Result<'OK', Context>;
  unwatch(callback?: Callback<'OK'>): Result<'OK', Context>;
  discard(callback?: Callback<'OK'>): Result<'OK', Context>;
  /** One [error, result] per command; null when a watched key had changed. */
  exec(callback?: Callback<Outcome[] | null>): Promise<Outcome[] | null>;
  execBuffer(callback?: Callback<Outcome[] | null>): Promise<Outcome[] | null>;

  /** Resolves with how many subscriptions there are; messages come as events. */
  subscribe(
    ...args: [...channels: Flat<string | Buffer>[], callback: Callback<unknown>]
  ): Result<unknown, Context>;
  subscribe(...args: Flat<string | Buffer>[]): Result<unknown, Context>;
  psubscribe(
    ...args: [...patterns: Flat<string | Buffer>[], callback: Callback<unknown>]
  ): Result<unknown, Context>;
  psubscribe(...args: Flat<string | Buffer>[]): Result<unknown, Context>;
  ssubscribe(
    ...args: [...channels: Flat<string | Buffer>[], callback: Callback<unknown>]
  ): Result<unknown, Context>;
  ssubscribe(...args: Flat<string | Buffer>[]): Result<unknown, Context>;
  unsubscribe(
    ...args: [...channels: Flat<string | Buffer>[], callback: Callback<unknown>]
  ): Result<unknown, Context>;
  unsubscribe(...args: Flat<string | Buffer>[]): Result<unknown, Context>;
  punsubscribe(
    ...args: [...patterns: Flat<string | Buffer>[], callback: Callback<unknown>]
  ): Result<unknown, Context>;
  punsubscribe(...args: Flat<string | Buffer>[]): Result<unknown, Context>;
  sunsubscribe(
    ...args: [...channels: Flat<string | Buffer>[], callback: Callback<unknown>]
  ): Result<unknown, Context>;
  sunsubscribe(...args: Flat<string | Buffer>[]): Result<unknown, Context>;
}
