import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { writeReports } from './output.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-reports-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('writeReports without files', () => {
  test('makes directories for several runs at once, and leaves nothing in them', async () => {
    const out = join(directory, 'a', 'b')
    await Promise.all([writeReports(out), writeReports(out)])
    await writeReports(out)
    expect(readdirSync(out)).toEqual([])
  })

  test('refuses a place in which nothing can be made', async () => {
    writeFileSync(join(directory, 'file'), '')
    symlinkSync(join(directory, 'nothing'), join(directory, 'link'))
    await rows([
      ['a file', 'file', /^--out .*file: ENOTDIR/],
      ['a directory in a file', 'file/x', /^--out .*file\/x: ENOTDIR/],
      ['a directory in a link to nothing', 'link/x', /^--out .*link\/x: EEXIST/],
      ['a directory in which nothing can be made', '/proc/no', /^--out \/proc\/no: E/],
    ])(async (_, name, message) => {
      const refused = writeReports(resolve(directory, name))
      await expect(refused).rejects.toThrow(UsageError)
      await expect(refused).rejects.toThrow(message)
    })
  })
})

describe('writeReports', () => {
  test('writes each file', async () => {
    await writeReports(directory, { 'a.txt': 'one', 'b.txt': 'two' })
    expect(['a.txt', 'b.txt'].map(name => readFileSync(join(directory, name), 'utf8'))).toEqual(['one', 'two'])
  })

  test('names the directory when a file cannot be written', async () => {
    mkdirSync(join(directory, 'a.txt'))
    const failed = writeReports(directory, { 'a.txt': 'one' })
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(/^--out .*: EISDIR/)
  })
})
