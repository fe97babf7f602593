// Where the time of a slower head goes: functions whose own time grew, in one more run of each side with V8's profiler.
import { flatRollup, sum } from 'd3-array'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What is read of a `.cpuprofile`. Each sample is the id of a node; its delta is the time since the one before, in µs. */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[]
  samples: number[]
  timeDeltas: number[]
}

/** A function with its own time in each side, in µs. */
export interface Growth {
  name: string
  /** Its file, relative to the root of its side. */
  file: string
  base: number
  head: number
}

/** Shown of all functions, and the least that each grew by: a part of all of the base's time. */
const [MOST, LEAST] = [5, 0.02]
/** No code: the process waited, or was not in JavaScript. */
const NO_CODE = new Set(['(root)', '(idle)', '(program)'])

type Own = Pick<Growth, 'name' | 'file'> & { time: number }

function readOwn({ nodes, samples, timeDeltas }: CpuProfile, root: string): Own[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  return samples.flatMap((id, at) => {
    const { functionName, url } = frames.get(id)!
    if (NO_CODE.has(functionName)) return []
    const file = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url
    return [{ name: functionName || 'anonymous functions', file, time: timeDeltas[at]! }]
  })
}

/** @param roots - the directories that hold the files of each side */
export function findGrowth(
  profiles: Record<'base' | 'head', readonly CpuProfile[]>,
  roots: Record<'base' | 'head', string>,
): Growth[] {
  const [base, head] = (['base', 'head'] as const).map(side => {
    const own = profiles[side].flatMap(profile => readOwn(profile, roots[side]))
    return flatRollup(
      own,
      entries => sum(entries, ({ time }) => time),
      ({ name }) => name,
      ({ file }) => file,
    )
  }) as [[string, string, number][], [string, string, number][]]
  const least = sum(base, ([, , time]) => time) * LEAST
  return head
    .map(([name, file, time]) => ({
      ...{ name, file, head: time },
      base: base.find(other => other[0] === name && other[1] === file)?.[2] ?? 0,
    }))
    .filter(growth => growth.head - growth.base > least)
    .toSorted((a, b) => b.head - b.base - (a.head - a.base))
    .slice(0, MOST)
}
