// What a kind of sandbox is to the rest of the host. `../kinds.ts` lists the kinds; nothing else names one.
import type * as v from 'valibot'
import type { SharedThreads } from '../workers/shared-threads.js'
import type { SandboxConfig, SandboxOptions } from './sandbox-config.js'

type OptionsSchema<Name extends string> = v.VariantOptions<'kind'>[number] &
  v.GenericSchema<unknown, SandboxOptions<Name>>

/** One kind of sandbox. */
export interface SandboxKind<Name extends string, Schema extends OptionsSchema<Name> = OptionsSchema<Name>> {
  /** True if code in it has all rights of the host. */
  readonly isTrusted: boolean
  /** True if its code can import modules that the host passes by name. */
  readonly hasNamedModules?: boolean
  /** Schema of its options, whose `kind` is its name. A kind without one has no options. */
  readonly schema?: Schema
  /** Returns the options with a limit of memory in MiB. By default it is that of V8's heap. */
  limitMemory?(options: v.InferOutput<Schema>, memory: number): v.InferOutput<Schema>
  /** Returns the options with a limit of the milliseconds that code can run without a pause. A kind without it has no such limit. */
  limitTime?(options: v.InferOutput<Schema>, time: number): v.InferOutput<Schema>
  /**
   * Checks what a schema cannot: whether this machine can enforce the options.
   *
   * @param place - the place of the options, for error texts
   * @param threads - the threads of the host, if it runs already: one that the sandbox needs can start meanwhile
   * @throws {BusError} InvalidParams
   */
  resolve(
    options: v.InferOutput<Schema>,
    place: string,
    threads?: SharedThreads,
  ): SandboxConfig<Name> | Promise<SandboxConfig<Name>>
}
