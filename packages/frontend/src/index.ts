// The functions, classes and types that a frontend's module imports.

export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal/errors'
export type { CodecName } from '@sallyport/protocol/internal/codec'
export type { BusErrorReason } from '@sallyport/protocol/internal/errors'
export type {
  BusEvent,
  CallHeaders,
  CallOptions,
  EventTarget,
  IdleTimeout,
  TransferOptions,
  Unlisten,
  WaitOptions,
} from '@sallyport/protocol/internal/message'
export type { CallTrace, EventTrace } from '@sallyport/protocol/internal/rpc'
export type { ChannelSender } from '@sallyport/protocol/internal/rpc'
export { Channel } from './client/channel.js'
export type { Client } from './client/client.js'
export type { EventHandler } from './client/listeners.js'
export type { Exposed, ExposedContext, ExposedFunctions } from './client/exposed-functions.js'
export type { InvokeOptions, ListenOptions } from './client/arguments.js'
export { emit, emitTo, expose, getData, getLabel, invoke, listen, once, stream } from './client/current-client.js'
export { getSecret } from './client/secrets.js'
export { createClient } from './types/client.js'
export type { ClientTypes, EmitParameters, TypedClient, TypedConnection } from './types/client.js'
export type { CallParameters, CommandName, CommandResult, CoreLike, StreamItem, StreamName } from './types/commands.js'
export type { Serialized } from './types/serialized.js'
export type { TauriInvoke, TauriParameters, TauriResult } from './types/commands.js'
export type { Stream } from './client/stream.js'
