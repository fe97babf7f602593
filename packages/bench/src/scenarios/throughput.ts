// How many calls a second, by how many are in flight: the window that a caller keeps open.
import { callArms } from '../arms/calls.js'
import { usualCall } from '../payloads/greet.js'
import { cpuTime, latency, rate, type Case, type Scenario } from '../scenario.js'
import { SHORT_SLOT } from './slot.js'

/** The one of which the tables show the CPU time too. */
const USUAL = 64

const inFlight = (count: number): Case => ({
  id: String(count),
  title: `${count} in flight`,
  task: { loop: 'calls', inFlight: count },
  payload: usualCall,
  figures: [
    rate('rate', count === 1 ? '1 call' : `${count} calls`),
    count === USUAL ? cpuTime : { ...cpuTime, aside: true },
    { ...latency('each', 'each call'), aside: true },
  ],
})

/** Looks for the versions of its peers when it is asked for. */
export const throughput = (): Scenario => ({
  id: 'throughput',
  title: 'Calls per second',
  about: 'greet({ name, n, tags[3] }), so many in flight at any time, and the CPU time of the whole process for each',
  arms: callArms(),
  cases: [inFlight(1), inFlight(8), inFlight(USUAL), inFlight(512)],
  rows: 'arms',
  ...SHORT_SLOT,
  // 0.09 s: many arms, in many cases.
  share: 3,
})
