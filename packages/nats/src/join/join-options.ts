// What `joinBus` takes of its own, and the check of it. The rest is the satellite's.
import type { SatelliteOptions } from '@sallyport/core/network'
import * as v from 'valibot'
import { check } from '../check.js'
import { busName, heartbeat, natsOptions, type NatsOptions } from '../nats-options.js'
import type { Credentials } from './keyring.js'

export interface JoinOptions extends SatelliteOptions {
  nats: NatsOptions
  /** The name of the bus, as its cores have it. */
  bus: string
  /**
   * What `issueCredential` gave, one for each label; or a function that gives one for a label, which is asked before each session:
   * so credentials that expire are renewed.
   */
  credentials: Credentials
  /** Milliseconds of silence after which a core is asked for a sign of life, and lost after three more. 2000 unless given. */
  heartbeat?: number | undefined
}

export interface OwnOptions extends Required<Pick<JoinOptions, 'nats' | 'bus' | 'credentials' | 'heartbeat'>> {
  heartbeat: number
}

const CREDENTIALS = 'a list of credentials, or a function that gives one for a label'
const isCredentials = (given: unknown): boolean =>
  typeof given === 'function' || (Array.isArray(given) && given.every(one => typeof one === 'string'))

const ofJoin = v.looseObject(
  { nats: natsOptions, bus: busName, credentials: v.custom<Credentials>(isCredentials, CREDENTIALS), heartbeat },
  'an object',
)

/** @throws BusError `InvalidParams` for what is wrong in them; what is the satellite's is not looked at */
export function splitOptions(given: JoinOptions): { own: OwnOptions; others: SatelliteOptions } {
  const own = check('joinBus', ofJoin, given)
  const { nats: _nats, bus: _bus, credentials: _credentials, heartbeat: _heartbeat, ...others } = given
  return { own, others }
}
