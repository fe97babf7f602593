// The lives of real things, at random: a bus whose frontends, runs, processes, gates and core open, close, reload, crash, hang, fill and are killed in
// overlapping random order, over real threads and processes. `SALLYPORT_LIVES_SEED=N` repeats a seed, with `SALLYPORT_LIVES_SEEDS=K` the next ones too.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { countResources, getGrowth } from '../../long/faults/guarantee.js'
import { getChildren } from '../../support/get-children.mjs'
import { isRunning } from '../../support/processes.js'
import { createPlan, describePlan } from './lives/plan.js'
import { runPlan, until } from './lives/sequence.js'

vi.mock(import('../../../src/life/workers/spawn.js'), async original =>
  (await import('./lives/threads.js')).recording(original),
)

const { SALLYPORT_LIVES_SEED: seed, SALLYPORT_LIVES_SEEDS: seeds } = process.env
const first = Number(seed ?? randomInt(2 ** 31))
const count = Number(seeds ?? (seed === undefined ? 300 : 1))
const PORTION = 10
const portions = Array.from({ length: Math.ceil(count / PORTION) }, (_, index) => first + index * PORTION)
/** On a busy machine. */
const LEFT_LIMIT_MS = 20_000

let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lives-'))
  vi.stubEnv('TMPDIR', directory)
  // What stays in a process once it was used.
  for (const warmUp of [1, 2, 3]) await runPlan(createPlan(warmUp))
}, 600_000)
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

function countAll(): Record<string, number> {
  const children = getChildren(process.pid)
  const running = children.filter(isRunning).length
  return {
    ...countResources(),
    timers: process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length,
    processes: running,
    'defunct processes': children.length - running,
    'temporary files': readdirSync(directory).length,
  }
}

/** Returns what is wrong with one seed. */
async function runSeed(number: number): Promise<string[]> {
  const plan = createPlan(number)
  const before = countAll()
  const { wrong } = await runPlan(plan)
  // Who ends a thread of relays from outside takes the parent of its processes: nobody reads their exits, and nobody removes their directories.
  const isOrphaned = plan.actions.some(action => action.do === 'kill shared' && action.role === 'relays')
  const isLeftByRelays = (what: string): boolean => isOrphaned && /^(?:defunct processes|temporary files)/.test(what)
  const getLeft = (): string[] => getGrowth(before, countAll()).filter(what => !isLeftByRelays(what))
  await until(getLeft, left => left.length === 0, LEFT_LIMIT_MS)
  return [...wrong, ...getLeft().map(what => `left after the close: ${what}`)]
}

test.each(portions)(
  'every call settles once, every end has its true reason, and nothing is left, seeds from %i on',
  { timeout: PORTION * 60_000 },
  async from => {
    const failures: string[] = []
    for (let number = from; number < Math.min(from + PORTION, first + count); number++) {
      const wrong = await runSeed(number)
      if (wrong.length === 0) continue
      failures.push(`${wrong.join('\n')}\n${describePlan(createPlan(number))}\n(SALLYPORT_LIVES_SEED=${number})`)
    }
    expect.soft(failures.length, failures.join('\n\n')).toBe(0)
  },
)
