// What a frontend's module imports.
export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol'
export type {
  BusErrorCode,
  BusErrorReason,
  BusEvent,
  CallHeaders,
  CallTrace,
  CommandErrorData,
  EventTarget,
  EventTrace,
  FailedCommand,
  TracedError,
  Unlisten,
} from '@sallyport/protocol'
export type { CommandArguments } from './arguments.js'
export { Channel } from './channel.js'
export type { Client } from './client.js'
export type { EventHandler } from './events.js'
export type { ExposedContext, ExposedFunction, ExposedFunctions } from './exposed.js'
export type { EmitOptions, InvokeOptions, ListenOptions } from './options.js'
export { emit, emitTo, expose, getData, getLabel, invoke, listen, once, stream } from './this-thread.js'
export { createClient, type ClientTypes, type TypedClient, type TypedConnection } from './typed-client.js'
export type {
  CallParameters,
  ChannelFor,
  CommandName,
  CommandResult,
  CoreLike,
  StreamItem,
  StreamName,
} from './typed-commands.js'
export type { TauriInvoke, TauriInvokeOptions, TauriParameters, TauriResult } from './typed-tauri.js'
export type { Stream } from './stream.js'
