// This file locks its process down. Each test file has its own process (pool: forks).
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { HookSandbox } from './hook-sandbox.js'
import { lockDown } from './lockdown.js'

beforeAll(() => {
  lockDown()
  // A second call does nothing.
  lockDown()
})

function sandbox(confirm: (message?: unknown) => boolean = () => false): { it: HookSandbox; logs: string[] } {
  const logs: string[] = []
  return { it: new HookSandbox({ console: (level, text) => logs.push(`${level} ${text}`), confirm }), logs }
}

/** Evaluates an expression in a new sandbox. */
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

describe('a script finds', () => {
  test('one object as window, self, globalThis and this', () => {
    expect(evaluate('[window === self, self === globalThis, window.window === window]')).toEqual([true, true, true])
    const { it } = sandbox()
    it.run([{ name: 'index.js', source: 'window.__TAURI_ISOLATION_HOOK__ = this === window' }])
    expect(it.readHook()).toBe(true)
  })

  test('confirm, console, a clock, random numbers, text encoding', () => {
    const questions: unknown[] = []
    const confirm = (message?: unknown): boolean => questions.push(message) > 0
    expect(evaluate(`[confirm('sure?'), typeof console.log]`, confirm)).toEqual([true, 'function'])
    expect(questions).toEqual(['sure?'])
    const before = vi.getRealSystemTime()
    expect(evaluate('Date.now()')).toSatisfy((now: number) => now >= before && now <= vi.getRealSystemTime())
    expect(evaluate('new Date(0).toISOString()')).toBe('1970-01-01T00:00:00.000Z')
    expect(evaluate('Math.random()')).toBeLessThan(1)
    expect(evaluate(`new TextDecoder().decode(new TextEncoder().encode('é'))`)).toBe('é')
  })

  test('no names of Node or of this thread', () => {
    const names = ['process', 'require', 'module', 'Buffer', 'global', 'setTimeout', 'fetch', 'document', 'Compartment']
    expect(evaluate(`[${names.map(name => `typeof ${name}`).join()}]`)).toEqual(names.map(() => 'undefined'))
    expect(evaluate('typeof lockdown')).toBe('undefined')
  })

  test('only the sandbox when it tries to leave it', () => {
    const attempts = [
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
    for (const attempt of attempts) {
      let found: unknown
      try {
        found = evaluate(attempt)
      } catch {
        found = 'undefined'
      }
      expect([undefined, 'undefined'], attempt).toContain(found)
    }
  })

  test('no frames of errors as objects', () => {
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

  test('shared objects that it cannot change', () => {
    expect(failure('Object.prototype.polluted = 1')).toContain('1.js threw')
    expect(failure('Array.prototype.push = null')).toContain('1.js threw')
    expect(failure('JSON.stringify = null')).toContain('1.js threw')
    expect(failure('Date.now = null')).toContain('1.js threw')
    expect(failure('Promise.prototype.then = null')).toContain('1.js threw')
    expect(failure('({}).__proto__.x = 1')).toContain('1.js threw')
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined)
  })

  test('its own window and console in each sandbox', () => {
    const [first, second] = [sandbox().it, sandbox().it]
    first.run([{ name: 'index.js', source: 'window.shared = 1; console.shared = 1' }])
    second.run([{ name: 'index.js', source: 'window.__TAURI_ISOLATION_HOOK__ = [window.shared, console.shared]' }])
    expect(second.readHook()).toEqual([undefined, undefined])
  })
})

describe('like in a browser', () => {
  test('scripts share their top-level names in order', () => {
    const { it } = sandbox()
    it.run([
      { name: 'a.js', source: `const LIST = ['a'] // no line break at the end` },
      { name: 'b.js', source: `function add(x) { LIST.push(x) }\nadd('b')` },
      { name: 'c.js', source: `add('c'); late = LIST; window.__TAURI_ISOLATION_HOOK__ = late` },
    ])
    expect(it.readHook()).toEqual(['a', 'b', 'c'])
    expect(Object.keys(it.window)).not.toContain('__sallyport_script__')
  })

  test('a top-level function can be the hook, unless window has one', () => {
    const { it } = sandbox()
    it.run([{ name: 'a.js', source: 'function __TAURI_ISOLATION_HOOK__() { return 1 }' }])
    expect(it.readHook()).toBeTypeOf('function')
    const other = sandbox().it
    other.run([{ name: 'a.js', source: 'let __TAURI_ISOLATION_HOOK__ = 1; window.__TAURI_ISOLATION_HOOK__ = null' }])
    expect(other.readHook()).toBe(null)
  })

  test('plain objects can have any member', () => {
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

  test('a script can replace the console', () => expect(failure('window.console = window.console || {}')).toBe('ran'))
})

describe('a script that fails is named', () => {
  test('with its line and message', () =>
    rows([
      ['null.x', '2.js threw: Cannot read properties of null'],
      ['throw "a text"', '2.js threw: a text'],
      ['throw { get message() { throw 1 } }', '2.js threw: something that is not an Error'],
      ['throw new Proxy(new Error("x"), { get() { throw 1 } })', '2.js threw: something that is not an Error'],
      ['\nconst tag = "<!--"', `2.js:2: it contains '<!--' or '-->'`],
      ['\n\nimport("node:fs")', `2.js:3: it contains 'import(' or 'import.'`],
      ['1\neval("1")', `2.js:2: it contains 'eval('`],
      ['const one = 1', `the scripts do not run together: Identifier 'one' has already been declared`],
    ])((source, message) => expect(failure('const one = 0\n// a second line', source)).toContain(message)))
})
