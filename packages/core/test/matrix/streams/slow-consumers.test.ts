// Memory that a slow consumer costs, with real threads: a gibibyte is sent to a frontend that does not read, and far less is kept.
// Each case runs in its own process.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../../fixtures/streams/slow/run.mjs', import.meta.url))
/** Growth limit of the process in MiB. Without bounds it grows by more than 1024. */
const MOST = 700

describe('a gibibyte', () => {
  it.concurrent.each([
    ['of events to a frontend that is blocked', 'emits', 'brownfield'],
    ['of late answers to a frontend that is blocked', 'late', 'brownfield'],
    ['of answers to an isolated frontend that floods and does not read', 'answers', 'isolation'],
    ['of calls of an isolated frontend to core, which is blocked', 'floods', 'isolation'],
  ])(
    '%s takes a bounded amount of memory, and every call settles',
    async (_name, way, pattern) => {
      const { stdout } = await run(process.execPath, [script, way, pattern])
      const { grew, dropped, ok, Overloaded = 0 } = JSON.parse(stdout) as Record<string, number>
      expect(grew).toBeLessThan(MOST)
      if (way === 'emits') expect(dropped).toBeGreaterThan(1000)
      else expect(ok! + Overloaded).toBe(16 * 1024)
    },
    // Alone, a case takes 15 s. All of them share the cores, with other tests.
    180_000,
  )
})
