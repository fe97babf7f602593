// Types of events and of the functions of frontends, which core and its host share. Nothing checks them at run time.
import type {
  CallParameters,
  ClientTypes,
  CommandName,
  CommandResult,
  Exposed,
  StreamItem,
  StreamName,
} from '@sallyport/frontend/internal'
import type { CallOptions, TransferOptions } from '@sallyport/protocol/internal/message'

/** The types of a bus: `defineCore<{ events: Events; frontends: { main: Main } }>()`, `createBus<typeof import('./core.js').default>(…)`. */
export interface BusTypes extends ClientTypes {
  /**
   * The functions of each frontend, by label: the result of its `expose`, or an interface of functions. Without it, any function can be
   * called with any arguments. A template (`` [label: `md-${string}`]: Markdown ``) types several frontends.
   */
  frontends?: object
}

/** The functions of a frontend in the form from which names, arguments and results are inferred. */
export type ExposedBy<Functions> = Functions extends (...args: never) => unknown ? Functions : Exposed<Functions>

/** The types that `createBus` was given: those of a core, or its own. */
export type BusTypesOf<T> = '~types' extends keyof T
  ? NonNullable<T['~types']> extends infer Types extends BusTypes
    ? Types
    : BusTypes
  : [T] extends [BusTypes]
    ? T
    : BusTypes

/** A core with the types of its bus. */
export interface TypedCore<Types extends BusTypes = BusTypes> {
  /** Exists as a type only. */
  readonly '~types'?: Types
}

/** The result of a function: a promise of its value, or the values of its stream. */
export type FunctionResult<Functions, Name, Codec = 'json'> = (Name extends CommandName<ExposedBy<Functions>>
  ? Promise<CommandResult<ExposedBy<Functions>, Name, Codec>>
  : unknown) &
  (Name extends StreamName<ExposedBy<Functions>>
    ? AsyncIterable<StreamItem<ExposedBy<Functions>, Name, Codec>>
    : unknown)

/** A frontend as an object: its functions, each with arguments and options of a call. */
export type FrontendProxy<Functions, Codec = 'json'> = unknown extends Functions
  ? Readonly<
      Record<
        string,
        (args?: object, options?: CallOptions & TransferOptions) => Promise<unknown> & AsyncIterable<unknown>
      >
    > & {
      readonly then?: never
    }
  : {
      readonly [Name in CommandName<ExposedBy<Functions>> | StreamName<ExposedBy<Functions>>]: (
        ...call: CallParameters<ExposedBy<Functions>, Name, Codec, CallOptions & TransferOptions>
      ) => FunctionResult<Functions, Name, Codec>
    }
