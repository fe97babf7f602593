// What an event costs as the work grows: more frontends, more listeners. It should not.
import { fanPort, fanRaw, fanRing } from '../arms/fan.js'
import { portJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { usualCall } from '../payloads/greet.js'
import { latency, type Case, type Scenario } from '../scenario.js'
import type { Task } from '../task.js'
import { FAN_SIZES } from '../workers/fan-out.js'
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

export const fanOut: Scenario = {
  id: 'fan-out',
  title: 'More frontends',
  about: 'time for each event that arrives, by how many frontends it goes to; every arrival is counted',
  arms: [fanRaw, fanPort, fanRing],
  cases: FAN_SIZES.map(size => of(size, `${size} frontends`, { loop: 'fan-out', size }, 'an event')),
  rows: 'cases',
  ...FLAT_SLOT,
}

export const listeners: Scenario = {
  id: 'listeners',
  title: 'More listeners',
  about: 'time for each event that arrives, by how many listeners a frontend has, each of an event of its own',
  arms: [rawPort, portJson, ringJson],
  cases: [10, 100, 1000, 10_000].map(size => of(size, `${size} listeners`, { loop: 'listeners', size }, 'an event')),
  rows: 'cases',
  ...FLAT_SLOT,
}
