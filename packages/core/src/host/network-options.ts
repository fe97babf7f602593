// What `createBus` takes of a network.
import * as v from 'valibot'
import { location } from './location.js'
import type { NetworkSettings } from './options.js'

const ofNetwork = { module: location, options: v.optional(v.unknown(), undefined) }

export const NETWORK_OPTIONS: readonly string[] = Object.keys(ofNetwork)

/** @internal */
export const network: v.GenericSchema<unknown, NetworkSettings | undefined> = v.optional(
  v.strictObject(ofNetwork, 'an object'),
)
