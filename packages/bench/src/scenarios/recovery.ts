// How long something is away that has crashed.
import { recoveryArms } from '../arms/recovery.js'
import { usualCall } from '../payloads/greet.js'
import { latency, type Case, type Scenario } from '../scenario.js'

const of = (what: 'core' | 'frontend'): Case => ({
  id: what,
  title: what,
  task: { loop: `recover-${what}` },
  payload: usualCall,
  figures: [latency('time', `${what}, first answer`)],
})

export const recovery: Scenario = {
  id: 'recovery',
  title: 'A crash, and the first answer after it',
  about:
    'core crashes, and a frontend asks until it is answered; a frontend crashes, and its module makes its first call again.' +
    ' By default the bus waits for 50 to 100 ms before it starts anything again. The reference is a Worker that is started' +
    ' again when it has ended',
  arms: recoveryArms,
  cases: [of('core'), of('frontend')],
  rows: 'arms',
  // A bus that starts, ends and starts.
  share: 15,
  roundsShare: 0.5,
  warmUpShare: 0.15,
}
