// Types of a bus: the functions that its frontends expose, and its events. Nothing of it exists at run time.
import type {
  CallParameters,
  ClientTypes,
  CodecOf,
  CommandName,
  CommandResult,
  EmitParameters,
  Serialized,
} from '@sallyport/frontend/internal'
import type { FrontendCallOptions } from '../api/frontend-call.js'

/** The types of a bus: `createBus<{ frontends: { main: typeof import('./main.js').default } }>(…)`. */
export interface BusTypes extends ClientTypes {
  /** The result of each frontend's `expose`, by label. Without it, any function can be called with any arguments. */
  frontends?: object
}

/** Any label if the bus has no types of frontends. */
export type UntypedLabel<Types> = Types extends { frontends: object } ? never : string

/** Any event if the bus has no types of events. */
export type UntypedEvent<Types> = Types extends { events: object } ? never : string

export type FrontendLabel<Types> = Types extends { frontends: infer Frontends extends object }
  ? keyof Frontends & string
  : never

export type FunctionName<Types, Label> = CommandName<FunctionsOf<Types, Label>> & string

export type FunctionParameters<Types, Label, Name> = CallParameters<
  FunctionsOf<Types, Label>,
  Name,
  CodecOf<Types>,
  FrontendCallOptions
>

export type FunctionResult<Types, Label, Name> = CommandResult<FunctionsOf<Types, Label>, Name, CodecOf<Types>>

export type EventName<Types> = Types extends { events: infer Events extends object } ? keyof Events & string : never

export type EventPayload<Types, Name> = Serialized<PayloadOf<Types, Name>, CodecOf<Types>>

export type EventParameters<Types, Name> = EmitParameters<PayloadOf<Types, Name>>

/** Exposed functions in the form of a core, which the types of calls are inferred from. */
type FunctionsOf<Types, Label> = Types extends { frontends: infer Frontends }
  ? Label extends keyof Frontends
    ? Frontends[Label] extends { readonly functions?: infer Functions }
      ? { readonly commands: NonNullable<Functions> }
      : never
    : never
  : never

type PayloadOf<Types, Name> = Types extends { events: infer Events }
  ? Name extends keyof Events
    ? Events[Name]
    : unknown
  : unknown
