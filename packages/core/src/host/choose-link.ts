// What `link: 'auto'` stands for on this machine, and whether a ring may be polled here.
import type { LinkKind } from '@sallyport/protocol'
import { availableParallelism } from 'node:os'
import type { Pattern } from '../authority/capability.js'

/** The threads that a call passes, each of which polls its ring while that pays. */
const THREADS: Record<Pattern, number> = { brownfield: 2, isolation: 3 }

/** On fewer cores a thread that polls takes the core of the one that it waits for (docs/adr/0009-isolation.md). */
export const hasCores = (pattern: Pattern, cores: number = availableParallelism()): boolean => cores >= THREADS[pattern]

/** Those that a frontend's threads can share: one in a process has a relay besides. */
export const coresFor = (isProcess: boolean): number => availableParallelism() - (isProcess ? 1 : 0)

/** A ring where each thread can have a core; where they must share one, threads that poll are in each other's way. */
export function chooseLink(
  link: 'auto' | LinkKind,
  pattern: Pattern,
  cores: number = availableParallelism(),
): LinkKind {
  if (link !== 'auto') return link
  return hasCores(pattern, cores) ? 'ring' : 'port'
}
