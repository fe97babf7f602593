// Ring links within one thread: the behavior of every link, with large and small rings, polling or not.
import { linkBehaviour } from '../link-behaviour.js'
import { linkFlow } from '../link-flow.js'
import { createRingPair } from './pair.js'

linkBehaviour('a ring link', () => createRingPair())
linkBehaviour('a ring link of 32 KiB', () => createRingPair(2 ** 15))
linkBehaviour('a ring link that never polls', () => createRingPair(undefined, false))

linkFlow('a ring link', () => createRingPair())
linkFlow('a ring link of 32 KiB', () => createRingPair(2 ** 15))
linkFlow('a ring link that never polls', () => createRingPair(undefined, false))
