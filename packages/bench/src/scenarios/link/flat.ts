// What a message costs as the work grows: more in flight, more frontends, more listeners. It should not.
import { fanPort, fanRaw, fanRing } from '../../arms/fan.js'
import { portJson, ringJson } from '../../arms/links.js'
import { rawPort } from '../../arms/raw-port.js'
import { usualCall } from '../../payloads/greet.js'
import { latency, type Case, type Scenario } from '../../scenario.js'
import type { Task } from '../../task.js'
import { FAN_SIZES } from '../../workers/fan-out.js'
import { SHORT_SLOT } from './slot.js'

/** Many cases, and no more than 4 rounds of each. */
const FLAT_SLOT = { ...SHORT_SLOT, roundsShare: 1 / 3 }

const of = (id: number, title: string, task: Omit<Task, 'ms'>, each: string): Case => ({
  id: String(id),
  title,
  task,
  payload: usualCall,
  figures: [latency('each', each)],
})

export const inFlight: Scenario = {
  id: 'link-in-flight',
  title: 'Flat? More calls in flight',
  about: 'time for each call, by how many are in flight',
  arms: [rawPort, portJson, ringJson],
  cases: [1, 8, 64, 512].map(count => of(count, `${count} in flight`, { loop: 'calls', inFlight: count }, 'a call')),
  rows: 'cases',
  ...FLAT_SLOT,
}

export const fanOut: Scenario = {
  id: 'link-fan-out',
  title: 'Flat? More frontends',
  about: 'time for each event that arrives, by how many frontends it goes to; every arrival is counted',
  arms: [fanRaw, fanPort, fanRing],
  cases: FAN_SIZES.map(size => of(size, `${size} frontends`, { loop: 'fan-out', size }, 'an event')),
  rows: 'cases',
  ...FLAT_SLOT,
}

export const listeners: Scenario = {
  id: 'link-listeners',
  title: 'Flat? More listeners',
  about: 'time for each event that arrives, by how many listeners a frontend has, each of an event of its own',
  arms: [rawPort, portJson, ringJson],
  cases: [10, 100, 1000, 10_000].map(size => of(size, `${size} listeners`, { loop: 'listeners', size }, 'an event')),
  rows: 'cases',
  ...FLAT_SLOT,
}
