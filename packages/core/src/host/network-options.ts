// What `createBus` takes of a network.
import * as v from 'valibot'
import { location } from './location.js'
import type { ModuleLocation } from './options.js'

export interface NetworkOptions {
  /** Its export `join` is a `JoinNetwork` of `@sallyport/core/network`. */
  module: ModuleLocation
  /** A copy of it, of anything that `structuredClone` takes. */
  options?: unknown
}

export interface NetworkSettings {
  module: URL
  options?: unknown
}

const ofNetwork = { module: location, options: v.optional(v.unknown(), undefined) }

export const NETWORK_OPTIONS: readonly string[] = Object.keys(ofNetwork)

/** @internal */
export const network: v.GenericSchema<unknown, NetworkSettings | undefined> = v.optional(
  v.strictObject(ofNetwork, 'an object'),
)
