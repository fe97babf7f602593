// Ring links within one thread: the behavior of every link, with large and small rings, polling or not.
import { choose } from '../../../../scripts/testing.js'
import { SplitLink } from '../../src/link/endpoints.js'
import { linkBehaviour } from '../link-behaviour.js'
import { linkFlow } from '../link-flow.js'
import { createRingPair } from './pair.js'

// Each direction is that of another ring, as for code whose messages pass a gate.
linkBehaviour('a split link', () => {
  const [toFar, fromNear] = createRingPair()
  const [toNear, fromFar] = createRingPair()
  return [new SplitLink(toFar, fromFar), new SplitLink(toNear, fromNear)]
})

for (const [name, options] of choose([
  ['a ring link', {}],
  ['a ring link that never polls', { poll: 'never' }],
  ['a ring link of 32 KiB', { bytes: 2 ** 15 }],
] as const)) {
  linkBehaviour(name, () => createRingPair(options))
  linkFlow(name, () => createRingPair(options))
}
