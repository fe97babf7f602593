// The threads of the pool end with a core that fails. The host must keep nothing of them, other than what Node itself keeps.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

interface Ports {
  all: number
  kept: number
  others: number
}

async function run<T>(program: string): Promise<T> {
  const path = fileURLToPath(new URL(`../../long/soak/${program}`, import.meta.url))
  const args = ['--disable-warning=ExperimentalWarning', path]
  // A leak keeps the program waiting.
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 })
  return JSON.parse(stdout) as T
}

test('a core that fails with threads in its pool leaves no port of the host behind', { timeout: 60_000 }, async () => {
  const { before, after } = await run<{ before: Ports; after: Ports }>('core-fails.mjs')
  expect(after.others).toBeLessThanOrEqual(before.others)
})

test(
  'without Sallyport, Node keeps a port of each thread whose parent was terminated',
  { timeout: 60_000 },
  async () => {
    type Counts = Record<'before' | 'after' | 'withOpen' | 'withClosed', Ports>
    const { before, after, withOpen, withClosed } = await run<Counts>('nested-threads.mjs')
    expect(after.kept - before.kept).toBe(5)
    expect(after.others).toBeLessThanOrEqual(before.others)
    // Every other port counts, open or closed.
    expect([withOpen.others, withClosed.others]).toEqual([after.others + 2, after.others + 2])
  },
)
