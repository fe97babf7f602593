// What `@cloudflare/codemode` asks of an executor.
import { expect, test } from 'vitest'
import { toExecutor } from '../src/index.js'
import { readCode } from '../src/read-code.js'
import { reuseBus } from './start.js'
import { rows } from '../../../scripts/testing.js'

const getBus = reuseBus()

test('several providers are objects of the code, with all arguments of a call', async () => {
  const files = { name: 'files', fns: { read: async (...args: unknown[]) => args } }
  const shell = { name: 'shell', fns: { run: async () => 'ran' } }
  const code = `async () => [await files.read('a', { b: 1 }), await shell.run()];  `
  expect(await toExecutor(getBus()).execute(code, [files, shell])).toEqual({
    result: [['a', { b: 1 }], 'ran'],
    logs: [],
  })
})

test('functions alone are those of the object codemode', async () => {
  const search = async (): Promise<number> => 1
  expect(await toExecutor(getBus()).execute('async () => codemode.search()', { search })).toMatchObject({ result: 1 })
})

test('functions have the names of the declarations that the model reads', async () => {
  const run = async (): Promise<string> => 'ok'
  const fns = { 'get-weather': run, delete: run, '2d': run, 'a.b c!': run }
  const code =
    'async () => [await codemode.get_weather(), await codemode.delete_(), await codemode._2d(), await codemode.a_b_c()]'
  expect(await toExecutor(getBus()).execute(code, fns)).toMatchObject({ result: ['ok', 'ok', 'ok', 'ok'] })
})

test('names of every object are names of functions too', async () => {
  const fns = { constructor: async () => 1, toString: async () => 2, ['__proto__']: async () => 3 }
  const code = 'async () => [await codemode.constructor(), await codemode.toString(), await codemode.__proto__()]'
  expect(await toExecutor(getBus()).execute(code, fns)).toMatchObject({ result: [1, 2, 3] })
})

test('the prelude of a provider runs before the code, and can add functions', async () => {
  const prelude = 'codemode.step = async (name, run) => run() // A comment'
  const code = `async () => codemode.step('a', () => codemode.search())`
  const provider = { name: 'codemode', fns: { search: async () => 1 }, prelude }
  expect(await toExecutor(getBus()).execute(code, [provider])).toMatchObject({ result: 1 })
})

test('lines of console.error begin with [error]', async () => {
  const code = `async () => { console.log('a'); console.error('b'); return 1 }`
  expect(await toExecutor(getBus()).execute(code, [])).toMatchObject({ logs: ['a', '[error] b'] })
})

test('an error of the code has its message and what was printed', async () => {
  const code = `async () => { console.log('a')\n  throw new TypeError('no') }`
  const { execute } = toExecutor(getBus())
  expect(await execute(code, [])).toEqual({ result: undefined, error: 'no', logs: ['a'] })
  const error = 'it is bytes, which JSON cannot represent: return a string'
  expect(await execute('new Uint8Array(2)', [])).toEqual({ result: undefined, error, logs: [] })
})

test('code is a function, statements or an expression, with a fence or without', () =>
  rows([
    '```js\nasync () => await codemode.search({})\n```',
    'const a = await codemode.search({}); return a',
    'await codemode.search({})',
    'const a = await codemode.search({}) // a; b\na;\n',
    'Here it is:\n```typescript\nasync (): Promise<number> => {\n  const a: number = 1\n  return a\n}\n```\nDone.',
    'export default async function () { return 1 }',
    'async function main() { return 1 }',
    'async function () { return 1 };',
    'Code:\n```js\n1```',
    '````md\nCode:\n```js\n// `\r\nreturn 1;;\n```\n````',
    '/*\n```js\nno()\n```\n*/\n1;;',
    `"${'x'.repeat(1e5)}"; 1`,
  ])(async code => {
    const answer = await toExecutor(getBus()).execute(code, { search: async () => 1 })
    expect(answer).toEqual({ result: 1, logs: [] })
  }))

const names = Array.from({ length: 5000 }, (_, at) => `(?<n${at}>)`).join('')
test('code is read in time in proportion to its length', () =>
  rows([
    `function${' '.repeat(600_000)}x`,
    `/${'(?:'.repeat(900)}${names}${'|)'.repeat(900)}|${'(?:'.repeat(900)}${names}${'|)'.repeat(900)}/`,
    '```          '.repeat(5000),
    `${'`'.repeat(20_000)}\n`.repeat(10),
  ])(async code => {
    expect(readCode(code).text.length).toBeLessThanOrEqual(code.length)
  }))

test('a syntax error has the place in the code', async () => {
  const { error } = await toExecutor(getBus()).execute('async () => {\n  a b }', [])
  expect(error).toMatch(/run\.[jt]s:2:5/)
})

const fns = {}
const find = async (): Promise<number> => 1
test('it does not throw, but answers with the error', () =>
  rows<[string, () => Promise<{ error?: string }>, RegExp]>([
    [
      'two functions with one name',
      () => toExecutor(getBus()).execute('', { a: find, 'a!': find }),
      /Two tools are named "a"/,
    ],
    [
      'two providers with one name',
      () =>
        toExecutor(getBus()).execute('', [
          { name: 'a', fns },
          { name: 'a', fns },
        ]),
      /"a" is that of several providers/,
    ],
    [
      'a name that is code',
      () => toExecutor(getBus()).execute('', [{ name: 'a, evil()', fns }]),
      /"a, evil\(\)" is not an identifier/,
    ],
    [
      'connectors',
      () => toExecutor(getBus()).execute('', [], { connectors: [{}] }),
      /Connectors need Cloudflare Workers/,
    ],
  ])(async (_, execute, text) => {
    expect((await execute()).error).toMatch(text)
  }))

test('wrong options throw at once', () => {
  expect(() => toExecutor(getBus(), { timeout: -1 })).toThrow('toExecutor: timeout must be milliseconds')
})

test('every sandbox runs the code', () =>
  rows(['quickjs', 'permission', 'process'] as const)(async sandbox => {
    const executor = toExecutor(getBus(), { sandbox })
    const code = 'async () => [await codemode.search({ q: 1 }), await codemode.find().catch(error => error.message)]'
    const { result } = await executor.execute(code, { search: async input => input })
    expect(result).toEqual([{ q: 1 }, 'The tool "find" does not exist. Use one of: search'])
  }))
