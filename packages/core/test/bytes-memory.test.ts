// Memory that 16 MiB to core and back cost: a small multiple of their size, for any pattern and link, also in a long run.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { fixture, patterns } from './start.js'

/** A busy machine delays the collector's own threads, so that memory would depend on its load. */
const FLAGS = ['--single-threaded-gc', '--no-incremental-marking']

describe.each(patterns)('memory: %s', pattern => {
  test.each([
    ['port', 'copied'],
    ['port', 'transferred'],
    ['ring', 'copied'],
    ['ring', 'transferred'],
  ])('over a %s, %s', async (link, how) => {
    const args = [...FLAGS, fileURLToPath(fixture('bytes-memory.mjs')), pattern, link, how]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { first, many } = JSON.parse(stdout) as { first: number; many: number }
    expect(first, 'one').toBeLessThan(10)
    expect(many, 'one after another').toBeLessThan(20)
  })
})
