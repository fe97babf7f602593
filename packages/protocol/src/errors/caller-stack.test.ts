import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { BusError } from './bus-error.js'
import { setDevelopment } from '#platform'
import { createCallPromise, getUserStack, hideInternalFrames, isInternalFrame, withCaller } from './caller-stack.js'

afterEach(() => setDevelopment(true))

/** Rejects from a timer, as an answer does from a message handler. */
const rejectLater = (error: unknown): Promise<void> =>
  createCallPromise((_resolve, reject) => void setTimeout(() => reject(error), 1))

async function caller(call: () => Promise<void>): Promise<string> {
  try {
    await call()
  } catch (error) {
    return (error as Error).stack!
  }
  return 'no error'
}

const answer = (): BusError => Object.assign(new BusError('Denied', 'no'), { stack: 'BusError: no' })

describe('createCallPromise', () => {
  it('adds the functions that await the promise to the stack of a rejection', async () => {
    const stack = await caller(() => rejectLater(answer()))
    expect(stack).toMatch(/^BusError \[Denied\]: no\n {4}at (?:async )?caller \(.*caller-stack\.test\.ts:\d+:\d+\)/)
  })

  it('finds the caller through async functions and Promise.all', async () => {
    const inner = async (): Promise<void> => rejectLater(answer())
    const outer = async (): Promise<void> => {
      await Promise.all([inner(), inner()])
    }
    expect(await caller(outer)).toMatch(/at (?:async )?outer .*\n.*at (?:async )?caller /)
  })

  it('leaves the stack alone in production', async () => {
    setDevelopment(false)
    const error = answer()
    expect(await caller(() => rejectLater(error))).toBe('BusError: no')
  })

  it('leaves errors of third-party code alone', async () => {
    const error = Object.assign(new TypeError('x'), { stack: 'TypeError: x' })
    expect(await caller(() => rejectLater(error))).toBe('TypeError: x')
  })

  it('rejects with the very error, and with what its function throws', async () => {
    const error = answer()
    await expect(rejectLater(error)).rejects.toBe(error)
    const thrower = (): Promise<void> =>
      createCallPromise(() => {
        throw error
      })
    await expect(thrower()).rejects.toBe(error)
    expect(error.stack).toMatch(/^BusError \[Denied\]: no/)
  })

  it('ignores a second rejection, which is not unhandled', async () => {
    const unhandled: unknown[] = []
    const keep = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', keep)
    const twice = createCallPromise<void>((_resolve, reject) => [answer(), new Error('late')].forEach(reject))
    await expect(twice).rejects.toMatchObject({ reason: 'Denied' })
    await new Promise(setImmediate)
    process.off('unhandledRejection', keep)
    expect(unhandled).toEqual([])
  })
})

it('withCaller keeps the frames of a worker, and adds those of the caller', async () => {
  const remote = Object.assign(new BusError('InternalError', 'x'), {
    stack: 'Error: x\n    at file:///app/core.mjs:1:7',
  })
  const fail = async (): Promise<void> => {
    await new Promise(setImmediate)
    throw remote
  }
  const stack = await caller(() => withCaller(fail()))
  expect(stack).toMatch(
    /^BusError \[InternalError\]: x\n {4}at file:\/\/\/app\/core\.mjs:1:7\n {4}at (?:async )?caller /,
  )
})

describe('getUserStack', () => {
  const internal = [
    '    at Client.invoke (file:///app/node_modules/@sallyport/frontend/dist/bundle/index.js:1:2)',
    '    at run (C:\\app\\node_modules\\@sallyport\\core\\dist\\bundle\\worker.js:1:2)',
    '    at Client.invoke (/app/node_modules/@sallyport/frontend/src/client/client.ts:1:2)',
    '    at new Promise (<anonymous>)',
    '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
    '    at node:internal/main/worker_thread:1:2',
  ]
  const userFrame = '    at async mine (file:///app/packages/core/main.mjs:3:5)'

  it('knows the bundle of each package', () => {
    const bundles = ['packages', 'extensions'].flatMap(room => {
      const root = new URL(`../../../../${room}/`, import.meta.url)
      return readdirSync(root)
        .filter(name => readFileSync(new URL(`${name}/package.json`, root), 'utf8').includes('/bundle.mjs'))
        .map(name => `    at f (file:///app/node_modules/@sallyport/${name}/dist/bundle/index.js:1:2)`)
    })
    expect(bundles.length).toBeGreaterThan(10)
    expect(bundles.filter(frame => !isInternalFrame(frame))).toEqual([])
  })

  it('hides the frames of this library and of Node', () => {
    const error = Object.assign(new TypeError('x'), { stack: ['TypeError: x', ...internal, userFrame].join('\n') })
    expect(getUserStack(error)).toBe(`TypeError: x\n${userFrame}`)
    expect(hideInternalFrames(error)).toHaveProperty('stack', `TypeError: x\n${userFrame}`)
  })

  it('keeps the lines before the frames of a syntax error', () => {
    const stack = ['file:///app/a.mjs:1', 'let x x', '      ^', 'SyntaxError: x', ...internal, userFrame].join('\n')
    const error = Object.assign(new SyntaxError('x'), { stack })
    expect(getUserStack(error)).toBe(
      ['file:///app/a.mjs:1', 'let x x', '      ^', 'SyntaxError: x', userFrame].join('\n'),
    )
  })

  it('keeps the frames of an error that has no others, unless it is a BusError', () => {
    const stack = ['TypeError: x', ...internal].join('\n')
    expect(getUserStack(Object.assign(new TypeError('x'), { stack }))).toBe(stack)
    expect(getUserStack(Object.assign(new BusError('Timeout', 'x'), { stack }))).toMatch(/^\w+ \[Timeout\]: x$/)
  })
})

describe('a call that nothing awaits', () => {
  /** Returns the stack of the error that a `then` without a handler for it passes on. */
  const getUnawaitedStack = (call: () => Promise<void>): Promise<string> =>
    new Promise(resolve => {
      call().then(
        () => {},
        (error: Error) => resolve(error.stack!),
      )
    })
  const forget = (): Promise<void> => rejectLater(answer())

  it('has the functions that called it in its stack', async () => {
    expect(await getUnawaitedStack(forget)).toMatch(
      /^BusError \[Denied\]: no\n(?: {4}at .*\n)*? {4}at (?:Module\.)?forget \(.*caller-stack\.test\.ts:\d+:\d+\)/,
    )
  })

  it('has none after 10 calls in the same second, and again in the next', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    vi.advanceTimersByTime(10_000)
    const stacks = await Promise.all(Array.from({ length: 25 }, () => getUnawaitedStack(forget)))
    expect(stacks.filter(stack => stack.includes(' forget ')).length).toBeLessThanOrEqual(20)
    expect(stacks.at(-1)).toBe('BusError [Denied]: no')
    vi.advanceTimersByTime(1000)
    expect(await getUnawaitedStack(forget)).toContain(' forget ')
    vi.useRealTimers()
  })
})
