// How long a link is measured at a time. Polling begins anew in each slot, because all threads slept while the other arms had
// their turns: the slots are ten times as long as those of other scenarios, and each begins with calls that don't count.
import type { Scenario } from '../scenario.js'

type Lengths = Pick<Scenario, 'share' | 'settleShare' | 'warmUpShare' | 'roundsShare'>

/** 0.3 s, after 0.1 s to settle; 6 rounds. */
export const LINK_SLOT: Lengths = { share: 10, settleShare: 1 / 3, roundsShare: 0.5, warmUpShare: 0.75 }

/** 0.15 s, after 0.05 s: for what is steady. */
export const SHORT_SLOT: Lengths = { ...LINK_SLOT, share: 5, warmUpShare: 0.5 }
