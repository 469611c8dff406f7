/** The small types that the declarations of commands are made of; names as in ioredis. */
/// <reference types="node" />
import type { RedisCommander } from './commands';

export type RedisKey = string | Buffer;
export type RedisValue = string | Buffer | number;
/** What a command takes beside keys. ioredis has no bigint and sends a Uint8Array as text. */
export type Value = RedisValue | bigint | Uint8Array;
export type Num = number | string | bigint;
/** An argument, or a list of them in its place. */
export type Flat<T> = T | readonly T[];
export type Callback<T = any> = (err?: Error | null, result?: T) => void;

/** `mapping` is option replyMapping: the shapes of RESP2 ("legacy"), or those of RESP3. */
export type ClientContext = {
  type: keyof ResultTypes<unknown, unknown>;
  mapping?: 'resp2' | 'resp3';
};
type MappingOf<Context> = Context extends { mapping: 'resp3' } ? 'resp3' : 'resp2';
export interface ResultTypes<Result, Context> {
  default: Promise<Result>;
  pipeline: ChainableCommander<MappingOf<Context>>;
}
/** What a command method gives: a promise, or in a pipeline the pipeline itself. */
export type Result<T, Context extends ClientContext = { type: 'default' }> = ResultTypes<
  T,
  Context
>[Context['type']];
/** One of two shapes, by the mapping of replies. */
export type Shaped<Legacy, Nested, Context extends ClientContext> = Context extends {
  mapping: 'resp3';
}
  ? Nested
  : Legacy;

export type Outcome = [error: Error | null, result: unknown];

/** Commands gathered, to be sent together by exec(). */
export interface ChainableCommander<
  Mapping extends 'resp2' | 'resp3' = 'resp2',
> extends RedisCommander<{ type: 'pipeline'; mapping: Mapping }> {
  readonly length: number;
  /** [[name, ...args], …] as further commands. */
  addBatch(commands: ReadonlyArray<readonly unknown[]>): this;
}
