// A channel that is filled faster than it is read: what waits, where it waits, and what that takes.
import { slowArms } from '../arms/slow.js'
import { usualCall } from '../payloads/greet.js'
import type { Scenario } from '../scenario.js'

export const slowConsumer: Scenario = {
  id: 'slow-consumer',
  title: 'A channel with a slow receiver',
  about:
    '16 384 messages of 1 KiB to a receiver that pauses for 1 ms after each 16: how many wait at most between sender and' +
    ' receiver, by how much memory grows, and which part of its time the sender waits; the reference posts each message',
  arms: slowArms,
  cases: [
    {
      id: 'slow',
      title: 'slow',
      task: { loop: 'slow-consumer' },
      payload: usualCall,
      figures: [
        { id: 'depth', title: 'messages waiting', unit: '', better: 'lower' },
        { id: 'rss', title: 'memory grown', unit: 'B', better: 'lower' },
        { id: 'waited', title: 'sender waits', unit: '%', better: 'higher' },
      ],
    },
  ],
  rows: 'arms',
  // Each starts a process of its own.
  share: 20,
  roundsShare: 0.5,
  warmUpShare: 0,
}
