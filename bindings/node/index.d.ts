/**
 * Types of the Redis, Valkey and ElastiCache client on libtendon, with the interface of ioredis.
 *
 * Every command method takes strings, numbers and Buffers side by side or in arrays, and an
 * optional node-style callback last. It returns a promise that rejects with ReplyError when the
 * server refuses the command, and with a TendonError, whose `executed` says what is known, when no
 * answer came.
 */
/// <reference types="node" />
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { RedisCommander } from './types/commands';
import { Callback, ChainableCommander, ClientContext } from './types/replies';
import {
  ClusterNode,
  ClusterOptions,
  NodeRole,
  RedisOptions,
  ReplyMapping,
  ScriptDefinition,
} from './types/options';

export { RedisCommander } from './types/commands';
export {
  Callback,
  ChainableCommander,
  ClientContext,
  RedisKey,
  RedisValue,
  Result,
  ResultTypes,
} from './types/replies';
export {
  ClusterNode,
  ClusterOptions,
  CommonRedisOptions,
  DNSLookupFunction,
  NatMap,
  NodeRole,
  RedisOptions,
  ReplyMapping,
  ScriptDefinition,
  TlsOptions,
} from './types/options';
export * from './types/errors';

export type RedisStatus =
  'wait' | 'reconnecting' | 'connecting' | 'connect' | 'ready' | 'close' | 'end';
export type ClusterStatus = RedisStatus | 'disconnecting';

export interface ScanStreamOptions {
  match?: string;
  type?: string;
  count?: number | string;
  /** hscan: only the fields. */
  noValues?: boolean;
}
/** One array per page; a page may be empty and a key may come twice, as in SCAN. */
export class ScanStream extends Readable {
  close(): void;
}

/** Figures of the core since the client connected. */
export interface Stats {
  nodes: number;
  open: number;
  idle: number;
  leased: number;
  lanes: number;
  connecting: number;
  pending: number;
  created: number;
  connectFailures: number;
  requests: number;
  replies: number;
  errors: number;
  timeouts: number;
  retries: number;
  unknown: number;
  moved: number;
  ask: number;
  tlsResumed: number;
}

/** What the channels ioredis:command, :batch and :connect of node:diagnostics_channel tell. */
export interface ConnectTraceContext {
  serverAddress: string;
  serverPort: number | undefined;
  connectionEpoch: number;
}
type ServerContext = Omit<ConnectTraceContext, 'connectionEpoch'> & { database: number };
export type CommandTraceContext = ServerContext & { command: string; args: string[] };
export type BatchOperationContext = ServerContext & { batchMode: 'MULTI'; batchSize: number };

/** A command as an object, for sendCommand(); and the hooks of all commands. */
export class Command {
  constructor(
    name: string,
    args?: ReadonlyArray<unknown>,
    options?: {
      replyEncoding?: BufferEncoding | null;
      readOnly?: boolean;
      keyPrefix?: string | Buffer;
    },
    callback?: Callback,
  );
  readonly name: string;
  readonly args: unknown[];
  readonly promise: Promise<any>;
  /** `transform` gets the arguments of every later call of the command, as given. */
  static setArgumentTransformer(name: string, transform: (args: any[]) => any[]): void;
  /** `transform` gets the reply of every later call of the command. */
  static setReplyTransformer(name: string, transform: (reply: any) => any): void;
}

type MappingContext<Mapping extends ReplyMapping> = {
  type: 'default';
  mapping: Mapping extends 'resp3' ? 'resp3' : 'resp2';
};
type PipelineOf<Mapping extends ReplyMapping> = ChainableCommander<
  Mapping extends 'resp3' ? 'resp3' : 'resp2'
>;
type MappingOfOverride<Mapping extends ReplyMapping, Override> = Override extends {
  replyMapping: infer Chosen extends ReplyMapping;
}
  ? Chosen
  : Mapping;

interface Transaction<Mapping extends ReplyMapping> {
  pipeline(commands?: unknown[][]): PipelineOf<Mapping>;
  /** MULTI now, each command answers "QUEUED", exec() gives the results. */
  multi(options: { pipeline: false }): Promise<'OK'>;
  multi(options?: { pipeline: true }): PipelineOf<Mapping>;
  multi(commands?: unknown[][], options?: { pipeline: true }): PipelineOf<Mapping>;
}

type CommonEvents<Status extends string> = { [S in Exclude<Status, 'reconnecting'>]: [] } & {
  message: [channel: string, message: string];
  messageBuffer: [channel: Buffer, message: Buffer];
  pmessage: [pattern: string, channel: string, message: string];
  pmessageBuffer: [pattern: string, channel: Buffer, message: Buffer];
  smessage: [channel: string, message: string];
  smessageBuffer: [channel: Buffer, message: Buffer];
  error: [error: Error];
  reconnecting: [delay: number];
  select: [db: number];
  /** Messages may have been missed, for so many milliseconds. Not in ioredis. */
  gap: [ms: number];
};
type RedisEvents = CommonEvents<RedisStatus> & {
  monitor: [time: string, args: string[], source: string, database: string];
};
type ClusterEvents = CommonEvents<ClusterStatus> & {
  refresh: [];
  '+node': [node: Redis, name: string];
  '-node': [node: Redis, name: string];
  'node error': [error: Error, name: string];
};
interface Emitter<Events extends Record<string, unknown[]>> extends EventEmitter {
  on<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this;
  once<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** Commands and pipelines that end when a signal aborts. */
export interface AbortableCommands<Mapping extends ReplyMapping = 'legacy'>
  extends RedisCommander<MappingContext<Mapping>>, Transaction<Mapping> {}

/** What Redis, Cluster and Pipeline share. */
interface Definitions {
  /** A script as a method of this name, and its twin with `Buffer` at the end. */
  defineCommand(name: string, definition: ScriptDefinition): void;
  getBuiltinCommands(): string[];
  createBuiltinCommand(commandName: string): { string: any; buffer: any };
  addBuiltinCommand(commandName: string): void;
  sendCommand(command: Command): unknown;
}

/** What Redis and Cluster share beside the commands. */
interface Life<Mapping extends ReplyMapping> extends Definitions {
  disconnect(reconnect?: boolean): void;
  /** @deprecated the same as disconnect() */
  end(): void;
  readonly autoPipelineQueueSize: number;
  /**
   * The same client with commands that end when `signal` aborts: they reject with AbortedError.
   * The connection stays as it is, and the reply of a command that was sent is dropped. In a
   * pipeline each command still without an outcome gets that error; a transaction rejects as a
   * whole. Not in ioredis.
   */
  withAbortSignal(signal: AbortSignal): AbortableCommands<Mapping>;
  /** null before connecting and after the end. Not in ioredis. */
  stats(): Stats | null;
  sscanStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream;
  sscanBufferStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream;
  hscanStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream;
  hscanBufferStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream;
  zscanStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream;
  zscanBufferStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream;
}

/** One server, or a primary with its replicas behind one endpoint. */
declare class Redis<Mapping extends ReplyMapping = 'legacy'> {
  static Cluster: typeof Cluster;
  static Command: typeof Command;
  static createClient(...args: ConstructorParameters<typeof Redis>): Redis;
  constructor(port: number, host: string, options: RedisOptions & { replyMapping?: Mapping });
  constructor(path: string, options: RedisOptions & { replyMapping?: Mapping });
  constructor(port: number, options: RedisOptions & { replyMapping?: Mapping });
  constructor(port: number, host: string);
  constructor(options: RedisOptions & { replyMapping?: Mapping });
  constructor(port: number);
  constructor(path: string);
  constructor();
  options: RedisOptions;
  status: RedisStatus;
  isCluster: boolean;
  get mode(): 'normal' | 'subscriber' | 'monitor';
  /** Resolves when commands can be sent; rejects when the first attempt fails. */
  connect(callback?: Callback<void>): Promise<void>;
  duplicate<Override extends Partial<RedisOptions> | undefined = undefined>(
    override?: Override,
  ): Redis<MappingOfOverride<Mapping, Override>>;
  /** A client of its own that emits "monitor" (time, arguments, source, database). */
  monitor(callback?: Callback<Redis>): Promise<Redis>;
  scanStream(options?: ScanStreamOptions): ScanStream;
  scanBufferStream(options?: ScanStreamOptions): ScanStream;
}
interface Redis<Mapping extends ReplyMapping = 'legacy'>
  extends
    RedisCommander<MappingContext<Mapping>>,
    Transaction<Mapping>,
    Life<Mapping>,
    Emitter<RedisEvents> {}

/** A cluster, found from any of its nodes or from its configuration endpoint. */
export class Cluster<Mapping extends ReplyMapping = 'legacy'> {
  constructor(
    startupNodes: ClusterNode[],
    options?: ClusterOptions & { redisOptions?: { replyMapping?: Mapping } },
  );
  options: ClusterOptions;
  status: ClusterStatus;
  isCluster: boolean;
  connect(callback?: Callback<void>): Promise<void>;
  /** A client for each node known, connecting when first used. */
  nodes(role?: NodeRole): Redis[];
  duplicate(
    overrideStartupNodes?: ClusterNode[],
    overrideOptions?: ClusterOptions,
  ): Cluster<Mapping>;
}
export interface Cluster<Mapping extends ReplyMapping = 'legacy'>
  extends
    RedisCommander<MappingContext<Mapping>>,
    Transaction<Mapping>,
    Life<Mapping>,
    Emitter<ClusterEvents> {}

export class Pipeline {
  constructor(redis: Redis | Cluster);
  readonly redis: Redis | Cluster;
  readonly isPipeline: boolean;
  readonly isCluster: boolean;
  addBatch(commands: ReadonlyArray<readonly unknown[]>): this;
}
export interface Pipeline extends ChainableCommander, Definitions {}

export default Redis;
export { Redis };
export const version: string;
export const tlsVersion: string;
export function print(error: Error | null | undefined, reply?: any): void;
export function createClient(options?: RedisOptions): Redis;
