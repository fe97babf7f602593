import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createThreadClock, Machine, type MachineEvents } from './machine.js'

test('CPU time passes while a thread runs, whether the kernel counts it or not', () =>
  rows([
    ['counts', undefined],
    ['does not count', '0 0 0\n'],
    ['says something else', 'none\n'],
    ['has no such file', null],
  ])((_, content) => {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-clock-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'schedstat')
    if (content) writeFileSync(file, content)
    const read = createThreadClock(content === undefined ? undefined : file)
    const before = read()
    let reads = 0
    while (read() <= before && ++reads < 1e6);
    expect(read()).toBeGreaterThan(before)
  }))

/** Runs a loop that never ends. Returns the CPU time until the engine ends it, in µs. */
async function measureLoop(): Promise<number> {
  const machine = await Machine.start({ memory: 32, time: 1 })
  const ended = vi.fn<MachineEvents['ended']>()
  const events = { lasts() {}, ended, isTerminated: () => false }
  machine.connect(events as unknown as MachineEvents)
  const readTime = createThreadClock()
  const before = readTime()
  machine.evaluateModule('for (;;);', 'loop.js')
  const time = readTime() - before
  expect(ended.mock.calls).toMatchObject([[{ data: { limit: 'time' } }]])
  return time
}

test('only the first script of a new script host has the time in which its engine is optimized', async () => {
  const [first, ...others] = [await measureLoop(), await measureLoop(), await measureLoop()]
  expect(Math.max(...others)).toBeLessThan(first)
})
