import { expect, test } from 'vitest'
import { createConsole, MAX_CONSOLE_TEXT } from './console.js'

function logged(use: (console: Record<string, (...values: unknown[]) => void>) => void): string[] {
  const lines: string[] = []
  use(createConsole((level, text) => lines.push(`${level}: ${text}`)))
  return lines
}

test('methods log one line with a level', () => {
  const lines = logged(console => {
    console['log']?.('a %s of %d', 'text', 1, { b: [1] })
    console['warn']?.('w')
    console['error']?.('e')
    console['debug']?.('d')
    console['assert']?.(true, 'not shown')
    console['assert']?.(false, 'why')
    console['table']?.([1])
    console['time']?.('t')
    console['groupEnd']?.()
  })
  expect(lines).toEqual([
    'info: a text of 1 { b: [ 1 ] }',
    'warn: w',
    'error: e',
    'debug: d',
    'error: Assertion failed: why',
    'info: [ 1 ]',
  ])
})

test('values are formatted without running their code', () => {
  let ran = 0
  const trap = (): never => {
    ran += 1
    throw new Error('ran')
  }
  const lines = logged(console => {
    console['log']?.(new Proxy({}, { get: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap }))
    console['log']?.({
      get a() {
        return trap()
      },
      [Symbol.for('nodejs.util.inspect.custom')]: trap,
    })
  })
  expect(ran).toBe(0)
  expect(lines).toHaveLength(2)
})

test('errors are formatted as class and message', () => {
  class Custom extends Error {}
  expect(logged(console => console['log']?.(new TypeError('bad'), new Custom('own'), new Error()))).toEqual([
    'info: TypeError: bad Error: own Error',
  ])
})

test('a long text is cut, and neither an unformattable value nor a throwing sink throws', () => {
  const [line] = logged(console => console['log']?.('x'.repeat(1e6)))
  expect(line).toHaveLength(MAX_CONSOLE_TEXT + 'info: '.length)
  const broken = createConsole(() => {
    throw new Error('no log')
  })
  expect(() => broken['log']?.('x')).not.toThrow()
  const unshowable = {
    get [Symbol.toStringTag]() {
      throw new Error('x')
    },
  }
  expect(logged(console => console['log']?.(unshowable))).toHaveLength(1)
})
