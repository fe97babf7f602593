// Core or a pool thread that runs out of heap exits like any other; buffers are outside the heap and end nothing.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { choose, rows } from '../../../../../scripts/testing.js'
import { fixture } from '../../support/start.js'

const host = fileURLToPath(fixture('supervision/memory-host.mjs'))
const disconnected = { reason: 'Disconnected', data: { delivered: 'unknown' } }
const outOfMemory = 'core ran out of memory'

const coreRestarts = {
  fault: disconnected,
  others: disconnected,
  events: [
    ['fault', 'core', outOfMemory],
    ['restart', 'core', outOfMemory],
  ],
  sameCore: false,
}
const coreKeepsRunning = { others: 'wait', events: [], sameCore: true }
const text = 'The pool\'s thread exited while it ran command "heavy": Worker terminated due to reaching memory limit'
const threadExits = { reason: 'Crashed', message: expect.stringContaining(text) as string }

const cases = choose(
  [
    ['brownfield', 'fault', 'uses up its heap', coreRestarts],
    ['brownfield', 'fault', 'keeps buffers beyond its heap', { ...coreKeepsRunning, fault: { value: 4 } }],
    ['brownfield', 'heavy', 'uses up its heap', { ...coreKeepsRunning, fault: threadExits }],
    ['isolation', 'fault', 'uses up its heap', coreRestarts],
    ['isolation', 'fault', 'keeps buffers beyond its heap', { ...coreKeepsRunning, fault: { value: 4 } }],
    ['isolation', 'heavy', 'uses up its heap', { ...coreKeepsRunning, fault: threadExits }],
  ] as const,
  3,
  4,
  5,
)

test('core that runs out of heap restarts, a thread of the pool ends its call, and buffers end nothing', () =>
  rows(cases)(async (pattern, command, kind, expected) => {
    const args = ['--max-old-space-size=64', host, pattern, command, kind]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(JSON.parse(stdout), kind).toMatchObject(expected)
  }))
