import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { explainTypeScript } from './module-errors.js'

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
