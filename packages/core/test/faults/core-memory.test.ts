// Core, or a thread of the pool, that uses up its heap ends like any other; bytes are outside the heap, and end nobody.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fixture } from '../start.js'

const host = fileURLToPath(fixture('memory-host.mjs'))
const gone = { reason: 'Disconnected', data: { delivered: 'unknown' } }
const empty = 'core ran out of memory'

const coreEnds = {
  fault: gone,
  others: gone,
  told: [
    ['fault', 'core', empty],
    ['restart', 'core', empty],
  ],
  sameCore: false,
}
const coreGoesOn = { others: 'wait', told: [], sameCore: true }
const text = 'The pool’s thread has ended while it ran command "heavy": Worker terminated due to reaching memory limit'
const threadEnds = { reason: 'InternalError', message: expect.stringContaining(text) as string }

test.each<[pattern: string, link: string, command: string, kind: string, expected: object]>([
  ['brownfield', 'port', 'fault', 'uses up its heap', coreEnds],
  ['brownfield', 'ring', 'fault', 'uses up its heap', coreEnds],
  ['isolation', 'port', 'fault', 'uses up its heap', coreEnds],
  ['isolation', 'ring', 'fault', 'uses up its heap', coreEnds],
  ['brownfield', 'ring', 'fault', 'keeps buffers beyond its heap', { ...coreGoesOn, fault: { value: 4 } }],
  ['isolation', 'port', 'fault', 'keeps buffers beyond its heap', { ...coreGoesOn, fault: { value: 4 } }],
  ['brownfield', 'port', 'heavy', 'uses up its heap', { ...coreGoesOn, fault: threadEnds }],
  ['isolation', 'ring', 'heavy', 'uses up its heap', { ...coreGoesOn, fault: threadEnds }],
])(
  '%s, %s: %s that %s',
  async (pattern, link, command, kind, expected) => {
    const args = ['--max-old-space-size=64', host, pattern, link, command, kind]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
    expect(JSON.parse(stdout)).toMatchObject(expected)
  },
  60_000,
)
