import { expect, test } from 'vitest'
import { explainTypeScript } from './describe-error.js'

const unknown = (extension: string): Error =>
  Object.assign(new TypeError(`Unknown file extension "${extension}" for /app/a${extension}`), {
    code: 'ERR_UNKNOWN_FILE_EXTENSION',
  })

test.each(['.ts', '.mts', '.cts'])('explains how to run %s', extension => {
  const message = `Node ${process.versions.node} cannot run /app/a${extension}: build it first, or use Node 22.18 or later`
  expect(explainTypeScript(unknown(extension))).toMatchObject({ reason: 'InvalidParams', message })
})

test('explains .tsx, which no version of Node runs', () => {
  expect(explainTypeScript(unknown('.tsx'))).toMatchObject({ message: expect.stringMatching(/: build it first$/) })
})

test.each([unknown('.css'), new Error('x'), null, undefined, 'text', { code: 'ERR_UNKNOWN_FILE_EXTENSION' }])(
  'returns another error unchanged: %o',
  error => expect(explainTypeScript(error)).toBe(error),
)
