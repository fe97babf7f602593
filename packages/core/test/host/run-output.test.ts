// What the code of `bus.run` prints last, for a host that reads it slowly.
import { expect, test } from 'vitest'
import type { QuickjsSandbox } from '../../src/life/sandboxes/quickjs.js'
import { start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const sandboxes: [name: string, sandbox: QuickjsSandbox | { kind: 'process' }][] = [
  ['a thread', { kind: 'quickjs' }],
  ['a process', { kind: 'quickjs', process: true }],
  ['a process with other scripts', { kind: 'quickjs', process: true, perProcess: 10 }],
  ['a process of Node.js', { kind: 'process' }],
]

/** More than the time for the code to end, even if the host took half of the output before. */
const SLOW_MS = 3000
const LINES = 200
const code = `for (let n = 0; n < ${LINES}; n++) console.log('x'.repeat(4095)); `

const block = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

test.each(choose(sandboxes, 2))('nothing that it printed is lost: %s', async (_name, sandbox) => {
  const bus = await start()
  let length = 0
  const onStdio = (text: string): void => {
    length += text.length
    // The clocks of all deadlines run, and the host takes nothing.
    block((text.length / (LINES * 4096)) * SLOW_MS)
  }
  expect(await bus.run(`${code} return 1`, { sandbox, onStdio })).toBe(1)
  expect(length).toBe(LINES * 4096)
})

test.each(choose(sandboxes.filter((_, index) => index % 2 === 0)))(
  'nor by code whose calls do not end: %s',
  async (_name, sandbox) => {
    const bus = await start()
    let text = ''
    let isBlocked = false
    const onStdio = (printed: string): void => {
      text += printed
      if (isBlocked) return
      isBlocked = true
      setImmediate(() => block(SLOW_MS))
    }
    const hanging = `stream('never_ends').next().catch(() => {}); ${code} return 1`
    expect(await bus.run(hanging, { sandbox, allow: '*', onStdio })).toBe(1)
    expect(text).toHaveLength(LINES * 4096)
  },
)
