// The functions, classes and types that a frontend's module imports.

export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal/errors'
export type { BusErrorReason } from '@sallyport/protocol/internal/errors'
export type { BusEvent, Unlisten } from '@sallyport/protocol/internal/message'
export type { CallTrace, EventTrace } from '@sallyport/protocol/internal/rpc'
export type { ChannelSender } from '@sallyport/protocol/internal/rpc'
export { Channel, type Stream } from './client/channel.js'
export type { EventHandler } from './client/listeners.js'
export type { Exposed, ExposedContext } from './client/exposed-functions.js'
export type { InvokeOptions } from './client/arguments.js'
export {
  emit,
  emitTo,
  expose,
  getData,
  getLabel,
  getSecret,
  invoke,
  listen,
  once,
  stream,
} from './client/current-client.js'
export { createClient } from './types/client.js'
export type { Client, ClientTypes, TypedClient, TypedConnection } from './types/client.js'
export type { CommandName, CommandResult } from './types/commands.js'
export type { Serialized } from './types/serialized.js'
export type { TauriInvoke, TauriParameters, TauriResult } from './types/commands.js'
