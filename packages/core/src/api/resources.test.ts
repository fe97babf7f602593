// A table of resources: numbers, classes, and how they are closed.
import { MAX_RESOURCES } from '@sallyport/protocol/internal/wire'
import { afterEach, expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { ResourceTable, runSequentially } from './resources.js'

const never = new AbortController().signal

class File {
  readonly log: string[]
  readonly name: string
  constructor(name: string, log: string[]) {
    this.name = name
    this.log = log
  }
  async close(): Promise<void> {
    await Promise.resolve()
    this.log.push(this.name)
  }
}

function setUp(label?: string) {
  const failures: unknown[] = []
  return { failures, table: new ResourceTable(error => failures.push(error), label) }
}

it('uses random ids of 32 bits', () => {
  const { table } = setUp('main')
  const rids = Array.from({ length: 1000 }, () => table.add({}))
  expect(new Set(rids).size).toBe(1000)
  expect(rids.every(rid => Number.isInteger(rid) && rid >= 0 && rid < 2 ** 32)).toBe(true)
  expect(Math.max(...rids) - Math.min(...rids)).toBeGreaterThan(2 ** 31)
})

it("returns a resource by its id and class, or fails with Tauri's text", async () => {
  const { table } = setUp()
  const file = new File('a', [])
  const rid = table.add(file)
  expect(table.get(rid, File)).toBe(file)
  expect(table.has(rid)).toBe(true)
  expect(() => table.get(rid, Map)).toThrow(`The resource id ${rid} is invalid.`)
  expect(() => table.take(rid, Map)).toThrow(`The resource id ${rid} is invalid.`)
  expect(table.take(rid, File)).toBe(file)
  expect(file.log).toEqual([])
  expect(() => table.get(rid)).toThrow(`The resource id ${rid} is invalid.`)
})

it('throws synchronously for an unknown id, so that a handler that does not await close fails instead of core', () => {
  const { table } = setUp()
  expect(() => table.close(7)).toThrow('The resource id 7 is invalid.')
})

it('closes one by close(), or else by Symbol.asyncDispose or Symbol.dispose', async () => {
  const { table } = setUp()
  const log: string[] = []
  const closing = [
    new File('close', log),
    { [Symbol.asyncDispose]: async () => void log.push('asyncDispose') },
    { [Symbol.dispose]: () => log.push('dispose') },
    { nothing: true },
  ]
  for (const resource of closing) await table.close(table.add(resource))
  expect(log).toEqual(['close', 'asyncDispose', 'dispose'])
  const failing = table.add({ close: () => Promise.reject(new Error('busy')) })
  await expect(table.close(failing)).rejects.toThrow('busy')
  expect(table.has(failing)).toBe(false)
})

it('closes all in reverse order, even if one throws', async () => {
  const { table, failures } = setUp('main')
  const log: string[] = []
  table.add(new File('first', log))
  table.add({
    close() {
      throw new Error('second')
    },
  })
  table.add(new File('third', log))
  await table.closeAll(never)
  expect(log).toEqual(['third', 'first'])
  expect(failures).toMatchObject([{ message: 'second' }])
})

it('closes immediately what is added later', async () => {
  const { table } = setUp('main')
  const log: string[] = []
  await table.closeAll(never)
  expect(() => table.add(new File('late', log))).toThrow('disconnected')
  await expect.poll(() => log).toEqual(['late'])
})

it('limits the resources of a frontend', () => {
  const { table } = setUp('main')
  for (let i = 0; i < MAX_RESOURCES; i++) table.add({})
  expect(() => table.add({})).toThrow('More than 16384 resources of one frontend are open')
})

it('rejects all but objects as resources', () =>
  rows([5, 'x', null, undefined])(value => expect(() => setUp().table.add(value as never)).toThrow('takes an object')))

afterEach(() => void vi.useRealTimers())

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

it('waits for each step before the next', async () => {
  const order: string[] = []
  const slow = (name: string) => async () => {
    order.push(`${name} begins`)
    await nextTick()
    order.push(`${name} ends`)
  }
  await runSequentially([slow('a'), () => order.push('b'), slow('c')], never, () => {})
  expect(order).toEqual(['a begins', 'a ends', 'b', 'c begins', 'c ends'])
})

it('reports a step that throws or rejects, and goes on', async () => {
  const errors: unknown[] = []
  const ran: string[] = []
  const steps = [
    () => {
      throw 'thrown'
    },
    () => Promise.reject('rejected'),
    () => ran.push('last'),
  ]
  await runSequentially(steps, never, error => errors.push(error))
  expect(errors).toEqual(['thrown', 'rejected'])
  expect(ran).toEqual(['last'])
})

it('waits five seconds for a step that hangs', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const ran: string[] = []
  const done = runSequentially([() => new Promise(() => {}), () => ran.push('next')], never, () => {})
  await vi.advanceTimersByTimeAsync(4999)
  expect(ran).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(ran).toEqual(['next'])
  await done
})

it('starts all remaining steps when the signal aborts, and leaves them soon', async () => {
  const controller = new AbortController()
  const ran: number[] = []
  const hang = (n: number) => () => {
    ran.push(n)
    return new Promise(() => {})
  }
  const done = runSequentially([hang(1), hang(2), hang(3)], controller.signal, () => {})
  expect(ran).toEqual([1])
  controller.abort()
  await done
  expect(ran).toEqual([1, 2, 3])
})

it('waits for quick steps after the signal has aborted', async () => {
  const ran: string[] = []
  const quick = async (): Promise<void> => {
    await nextTick()
    ran.push('quick')
  }
  await runSequentially([() => new Promise(() => {}), quick], AbortSignal.abort(), () => {})
  expect(ran).toEqual(['quick'])
})
