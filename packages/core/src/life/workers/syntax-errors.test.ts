import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setDevelopment } from '@sallyport/protocol/internal/util'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { explainSyntax } from './syntax-errors.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-syntax-'))
})
afterEach(() => rm(directory, { recursive: true }))

const never = new AbortController().signal

/** Writes a module that imports valid modules and, last of all, one with an error. */
async function writeModules(): Promise<URL> {
  const names = ['a', 'b', 'broken']
  const main = join(directory, 'main.mjs')
  await writeFile(join(directory, 'broken.mjs'), 'export const x = {\n  a: 1,\n  b b\n}\n')
  for (const name of names.slice(0, -1)) await writeFile(join(directory, `${name}.mjs`), 'export {}\n')
  await writeFile(main, names.map(name => `import './${name}.mjs'\n`).join(''))
  return pathToFileURL(main)
}

test('adds the place and the line, and leaves the event loop free', async () => {
  const module = await writeModules()
  const error = new SyntaxError("Unexpected identifier 'b'")
  const seen = new Set<string>()
  // Before the loop polls for the end of a process, it runs this.
  let immediate = setImmediate(function look() {
    for (const name of process.getActiveResourcesInfo()) seen.add(name)
    immediate = setImmediate(look)
  })
  await explainSyntax(error, module, never)
  clearImmediate(immediate)
  const broken = join(directory, 'broken.mjs')
  expect(error.message).toBe(`Unexpected identifier 'b' (${broken}:3)`)
  expect(error.stack).toMatch(/^.*broken\.mjs:3\n {2}b b\n {4}\^\n/)
  expect(seen).toContain('ProcessWrap')
})

/** An error of `import()`. */
function createLoadError(message: string): SyntaxError {
  const error = new SyntaxError(message)
  error.stack = `SyntaxError: ${message}\n    at compileSourceTextModule (node:internal/modules/esm/utils:346:16)`
  return error
}

const unknownPlace = (): string => `${join(directory, 'main.mjs')}, or a module that it imports`

test('names the module that was loaded when the signal aborts', async () => {
  const error = createLoadError('Unexpected end of input')
  await explainSyntax(error, await writeModules(), AbortSignal.abort())
  expect(error.message).toBe(`Unexpected end of input (${unknownPlace()})`)
})

test('names the module that was loaded in production, and starts no process', async () => {
  setDevelopment(false)
  onTestFinished(() => setDevelopment(true))
  const error = createLoadError("Unexpected identifier 'b'")
  const { stack } = error
  await explainSyntax(error, await writeModules(), never)
  expect(error.message).toBe(`Unexpected identifier 'b' (${unknownPlace()})`)
  expect(error.stack).toBe(`${unknownPlace()}\n${stack}`)
})

test('leaves a syntax error that is not of the code itself as it is', () =>
  rows([
    [
      'that the code of a module throws',
      'SyntaxError: no\n    at JSON.parse (<anonymous>)\n    at file:///main.mjs:1:6',
    ],
    ['that is the cause of another', 'Error: no\n    at file:///main.mjs:1:6\n[cause]: SyntaxError: bad JSON'],
  ])(async (_, stack) => {
    setDevelopment(false)
    onTestFinished(() => setDevelopment(true))
    const error = Object.assign(new Error('no'), { stack })
    await explainSyntax(error, await writeModules(), never)
    expect([error.message, error.stack]).toEqual(['no', stack])
  }))

test('leaves other errors, and other modules than files, as they are', async () => {
  const module = await writeModules()
  const error = new TypeError('no')
  await explainSyntax(error, module, never)
  const inline = new SyntaxError('no')
  await explainSyntax(inline, new URL('data:text/javascript,b b'), never)
  expect([error.message, inline.message]).toEqual(['no', 'no'])
})
