// @vitest-environment-options { "alone": "module-errors" }
import { expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { fileURLToPath } from 'node:url'
import { explainTypeScript, findPlace } from './module-errors.js'

vi.mock('node:url', async importOriginal => {
  const url = await importOriginal<typeof import('node:url')>()
  return { ...url, fileURLToPath: vi.fn<typeof fileURLToPath>(url.fileURLToPath) }
})

const unknown = (extension: string): Error =>
  Object.assign(new TypeError(`Unknown file extension "${extension}" for /app/a${extension}`), {
    code: 'ERR_UNKNOWN_FILE_EXTENSION',
  })

test('explains how to run a file of TypeScript', () =>
  rows(['.ts', '.mts', '.cts'])(extension => {
    const message = `Node ${process.versions.node} cannot run /app/a${extension}: build it first (loaders such as tsx do not reach into workers), or use Node 22.18 or later. See the page "TypeScript" of the documentation`
    expect(explainTypeScript(unknown(extension))).toMatchObject({ reason: 'InvalidParams', message })
  }))

test('explains .tsx, which no version of Node runs', () => {
  expect(explainTypeScript(unknown('.tsx'))).toMatchObject({ message: expect.stringMatching(/: build it first\. See/) })
})

test('returns another error unchanged', () =>
  rows([unknown('.css'), new Error('x'), null, undefined, 'text', { code: 'ERR_UNKNOWN_FILE_EXTENSION' }])(error =>
    expect(explainTypeScript(error)).toBe(error),
  ))

test('the place of a forged stack is its own text, without a path of a host', () => {
  expect(findPlace({ stack: 'Error: x\n    at f (file:///app/main.mjs:4:53)' })).toMatch(/app\/main\.mjs:4:53$/)
  const long = `file://${'\u4e01\u4e02'.repeat(100)}/a.mjs`
  expect(findPlace({ stack: `Error: x\n    at f (${long}:4:53)` })).toBe(`${long}:4:53`)
  expect(vi.mocked(fileURLToPath).mock.calls.join()).not.toContain(long)
})
