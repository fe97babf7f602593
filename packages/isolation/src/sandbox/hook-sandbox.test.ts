// These tests lock their process down for good: each test file has one of its own (pool: forks).
import { beforeAll, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox } from './hook-sandbox.js'
import { lockDown } from './lockdown.js'

beforeAll(() => {
  lockDown()
  lockDown() // and again: nothing happens
})

function sandbox(confirm: (message?: unknown) => boolean = () => false): { it: Sandbox; logs: string[] } {
  const logs: string[] = []
  return { it: createSandbox({ console: (level, text) => logs.push(`${level} ${text}`), confirm }), logs }
}

/** What an expression gives in a new sandbox. */
function evaluate(expression: string, confirm?: (message?: unknown) => boolean): unknown {
  const { it } = sandbox(confirm)
  it.run([{ name: 'index.js', source: `window.__TAURI_ISOLATION_HOOK__ = (${expression})` }])
  return it.readHook()
}

function failure(...sources: string[]): string {
  try {
    sandbox().it.run(sources.map((source, index) => ({ name: `${index + 1}.js`, source })))
  } catch (error) {
    return (error as Error).message
  }
  return 'ran'
}

describe('what scripts find', () => {
  test('window, self, globalThis and this are one object', () => {
    expect(evaluate('[window === self, self === globalThis, window.window === window]')).toEqual([true, true, true])
    const { it } = sandbox()
    it.run([{ name: 'index.js', source: 'window.__TAURI_ISOLATION_HOOK__ = this === window' }])
    expect(it.readHook()).toBe(true)
  })

  test('confirm, console, a clock, random numbers, text encoding', () => {
    const asked: unknown[] = []
    const confirm = (message?: unknown): boolean => asked.push(message) > 0
    expect(evaluate(`[confirm('sure?'), typeof console.log]`, confirm)).toEqual([true, 'function'])
    expect(asked).toEqual(['sure?'])
    expect(evaluate('Date.now()')).toBeCloseTo(Date.now(), -4)
    expect(evaluate('new Date(0).toISOString()')).toBe('1970-01-01T00:00:00.000Z')
    expect(evaluate('Math.random()')).toBeLessThan(1)
    expect(evaluate(`new TextDecoder().decode(new TextEncoder().encode('é'))`)).toBe('é')
  })

  test('nothing of Node, nor of this thread', () => {
    const names = ['process', 'require', 'module', 'Buffer', 'global', 'setTimeout', 'fetch', 'document', 'Compartment']
    expect(evaluate(`[${names.map(name => `typeof ${name}`).join()}]`)).toEqual(names.map(() => 'undefined'))
    expect(evaluate('typeof lockdown')).toBe('undefined')
  })

  test('ways out end in the sandbox', () => {
    const ways = [
      `(function () { return this })()`,
      `Function('return typeof process')()`,
      `(() => {}).constructor('return typeof process')()`,
      `(async () => {}).constructor('return typeof process')`,
      `console.log.constructor('return typeof process')()`,
      `confirm.constructor('return typeof process')()`,
      `[].constructor.constructor('return typeof process')()`,
      `(0, eval)('typeof process')`,
      `new Date().constructor.constructor('return typeof process')()`,
    ]
    for (const way of ways) {
      let found: unknown
      try {
        found = evaluate(way)
      } catch {
        found = 'undefined'
      }
      expect([undefined, 'undefined'], way).toContain(found)
    }
  })

  test('errors show no frames as objects', () => {
    const probe = `(() => {
      const kinds = []
      let error
      try { null.x } catch (thrown) { error = thrown }
      for (let at = error; at; at = Object.getPrototypeOf(at)) {
        const kind = at.constructor
        try { kind.prepareStackTrace = (_, frames) => kinds.push(typeof frames[0].getThis) } catch {}
        try { Error.prepareStackTrace = kind.prepareStackTrace } catch {}
      }
      try { null.x } catch (thrown) { String(thrown.stack) }
      return kinds
    })()`
    expect(evaluate(probe)).toEqual([])
  })

  test('shared objects cannot be changed', () => {
    expect(failure('Object.prototype.polluted = 1')).toContain('1.js threw')
    expect(failure('Array.prototype.push = null')).toContain('1.js threw')
    expect(failure('JSON.stringify = null')).toContain('1.js threw')
    expect(failure('Date.now = null')).toContain('1.js threw')
    expect(failure('Promise.prototype.then = null')).toContain('1.js threw')
    expect(failure('({}).__proto__.x = 1')).toContain('1.js threw')
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined)
  })

  test('each sandbox has its own window and console', () => {
    const [one, two] = [sandbox().it, sandbox().it]
    one.run([{ name: 'index.js', source: 'window.shared = 1; console.shared = 1' }])
    two.run([{ name: 'index.js', source: 'window.__TAURI_ISOLATION_HOOK__ = [window.shared, console.shared]' }])
    expect(two.readHook()).toEqual([undefined, undefined])
  })
})

describe('scripts as in a browser', () => {
  test('share their top-level names, in order', () => {
    const { it } = sandbox()
    it.run([
      { name: 'a.js', source: `const LIST = ['a'] // no line break at the end` },
      { name: 'b.js', source: `function add(x) { LIST.push(x) }\nadd('b')` },
      { name: 'c.js', source: `add('c'); late = LIST; window.__TAURI_ISOLATION_HOOK__ = late` },
    ])
    expect(it.readHook()).toEqual(['a', 'b', 'c'])
    expect(Object.keys(it.window)).not.toContain('__sallyport_turn__')
  })

  test('a top-level function of the right name is the hook; one on window comes first', () => {
    const { it } = sandbox()
    it.run([{ name: 'a.js', source: 'function __TAURI_ISOLATION_HOOK__() { return 1 }' }])
    expect(it.readHook()).toBeTypeOf('function')
    const other = sandbox().it
    other.run([{ name: 'a.js', source: 'let __TAURI_ISOLATION_HOOK__ = 1; window.__TAURI_ISOLATION_HOOK__ = null' }])
    expect(other.readHook()).toBe(null)
  })

  test('plain objects take any name', () => {
    expect(
      evaluate(`(() => { const seen = {}; seen.constructor = 1; seen.toString = 2; return seen.constructor })()`),
    ).toBe(1)
    expect(
      evaluate(`(() => { const e = new Error('x'); e.message = 'y'; e.name = 'z'; return e.message + e.name })()`),
    ).toBe('yz')
    expect(
      evaluate(
        `(() => { function A() {} A.prototype = {}; A.prototype.constructor = A; return new A().constructor === A })()`,
      ),
    ).toBe(true)
  })

  test('a console may be replaced', () => expect(failure('window.console = window.console || {}')).toBe('ran'))
})

describe('what is wrong is said, with the script', () => {
  test.each([
    ['null.x', '2.js threw: Cannot read properties of null'],
    ['throw "a text"', '2.js threw: a text'],
    ['throw { get message() { throw 1 } }', '2.js threw: something that is not an Error'],
    ['throw new Proxy(new Error("x"), { get() { throw 1 } })', '2.js threw: something that is not an Error'],
    ['\nconst tag = "<!--"', `2.js:2: it contains '<!--' or '-->'`],
    ['\n\nimport("node:fs")', `2.js:3: it contains 'import(' or 'import.'`],
    ['1\neval("1")', `2.js:2: it contains 'eval('`],
    ['const one = 1', `the scripts do not run together: Identifier 'one' has already been declared`],
  ])('%s', (source, message) => expect(failure('const one = 0\n// a second line', source)).toContain(message))
})
