import { mkdtempSync, readdirSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withFilterFile } from './launcher.js'

describe.skipIf(process.platform === 'win32')('the file of a filter', () => {
  let directory: string
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'filter-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  test('has no name, and is read from its start', () => {
    const read = (descriptor: number | undefined): Buffer => {
      expect(readdirSync(directory)).toEqual([])
      const buffer = Buffer.alloc(10)
      return buffer.subarray(0, readSync(descriptor!, buffer))
    }
    expect([...withFilterFile(Uint8Array.of(1, 2, 3), directory, read)]).toEqual([1, 2, 3])
  })

  test('needs a temporary directory that can be written', () => {
    const missing = join(directory, 'missing')
    expect(() => withFilterFile(Uint8Array.of(1), missing, () => {})).toThrow(
      `The temporary directory ${missing} cannot be written (ENOENT). Set TMPDIR`,
    )
  })
})
