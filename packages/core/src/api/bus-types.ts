// Types of events and of the functions of frontends, which core and its host share. Nothing checks them at run time.
import type {
  CallParameters,
  ClientTypes,
  CommandName,
  CommandResult,
  Exposed,
  Serialized,
} from '@sallyport/frontend/internal'
import type { CallOptions, TransferOptions } from '@sallyport/protocol/internal'

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

/** The payload of `app.emit`, which is optional if it can be undefined. */
export type PayloadParameters<Payload> = undefined extends Payload ? [payload?: Payload] : [payload: Payload]

/** The payload of an event in core: as core emitted it, or as it arrives from the host and frontends. */
export type AppPayload<Payload, Codec = 'json'> =
  | (Payload extends undefined ? never : Payload)
  | Serialized<Payload, Codec>

/** Arguments and options of a call to a frontend. */
export type FrontendCallParameters<Functions, Name, Codec> = CallParameters<
  ExposedBy<Functions>,
  Name,
  Codec,
  CallOptions & TransferOptions
>

/** The names of the functions of a frontend. */
export type FunctionName<Functions> = CommandName<ExposedBy<Functions>>

/** The type that a call to a frontend resolves with. */
export type FunctionResult<Functions, Name, Codec> = CommandResult<ExposedBy<Functions>, Name, Codec>

/** A frontend as an object: its functions, each with arguments and options of a call. */
export type FrontendProxy<Functions, Codec = 'json'> = unknown extends Functions
  ? UntypedFrontend
  : {
      readonly [Name in FunctionName<Functions>]: (
        ...call: FrontendCallParameters<Functions, Name, Codec>
      ) => Promise<FunctionResult<Functions, Name, Codec>>
    }

/**
 * A frontend that `Types` declares. Without declared frontends no label can be passed; `any` then lets an untyped app or bus be passed for a
 * typed one, and the other way round.
 */
export type DeclaredFrontend<Types extends BusTypes, Label> = Types extends {
  frontends: infer Frontends extends object
}
  ? FrontendProxy<Frontends[Label & keyof Frontends], Types['codec']>
  : // oxlint-disable-next-line typescript/no-explicit-any
    any

/** A frontend whose functions have no types. */
export type UntypedFrontend = Readonly<
  Record<string, (args?: object, options?: CallOptions & TransferOptions) => Promise<unknown>>
> & {
  readonly then?: never
}
