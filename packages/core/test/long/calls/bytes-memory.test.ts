// Memory that 16 MiB to core and back cost: a small multiple of their size, for any pattern, also in a long run.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fixture } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

/** A busy machine delays the collector's own threads, so that memory would depend on its load. */
const FLAGS = ['--single-threaded-gc', '--no-incremental-marking']

/** Each pattern and way to send. */
test('memory stays within its bound for', () =>
  rows([
    ['brownfield', 'copied'],
    ['brownfield', 'transferred'],
    ['isolation', 'transferred'],
    ['isolation', 'copied'],
  ])(async (pattern, how) => {
    const args = [...FLAGS, fileURLToPath(fixture('calls/bytes-memory.mjs')), pattern, how]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { first, many } = JSON.parse(stdout) as { first: number; many: number }
    expect(first, 'one').toBeLessThan(10)
    expect(many, 'one after another').toBeLessThan(20)
  }))
