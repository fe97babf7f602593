// A frontend as an object: its members call the frontend, and nothing else does.
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { App, Bus } from '../../src/index.js'
import { createBus } from '../../src/index.js'
import { rows } from '../../../../scripts/testing.js'

interface Functions {
  double(args: { n: number }): number
  never(args?: object): void
}

let bus: Bus
let app: App
const called: string[] = []
beforeAll(async () => {
  bus = await createBus({ core: { setup: core => void (app = core) }, log: false })
  const client = await bus.connect('p')
  const note =
    (name: string) =>
    (args: unknown): unknown => {
      called.push(name)
      return args
    }
  const looked = ['then', 'toJSON', 'toString', 'valueOf', 'constructor', 'inspect', 'asymmetricMatch']
  client.expose({
    double: ({ n }: { n: number }) => n * 2,
    never: () => new Promise(() => {}),
    label: () => 'a function',
    ...Object.fromEntries(looked.map(name => [name, note(name)])),
  })
})
afterAll(() => bus.close({ timeout: 0 }))

const proxies = [
  ['bus.frontend', () => bus.frontend<Functions>('p')],
  ['app.frontend', () => app.frontend<Functions>('p')],
] as const

test('a member of a proxy calls the function with arguments and options', () =>
  rows(proxies)(async (_, create) => {
    const frontend = create()
    expect(await frontend.double({ n: 4 })).toBe(8)
    await expect(frontend.never({}, { timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
    expect(await (frontend as unknown as { label(): Promise<string> }).label()).toBe('a function')
  }))

test('await returns the proxy', () =>
  rows(proxies)(async (_, create) => {
    const frontend = create()
    expect((await Promise.resolve(frontend)) === frontend).toBe(true)
  }))

test('no look at a proxy calls the frontend', () =>
  rows(proxies)(async (_, create) => {
    const frontend = create()
    expect(inspect(frontend)).toBe('frontend "p"')
    expect(String(frontend)).toBe('frontend "p"')
    expect(JSON.stringify({ frontend })).toBe('{"frontend":{}}')
    expect({ ...frontend }).toEqual({})
    expect([...Object.keys(frontend), Symbol.iterator in frontend]).toEqual([false])
    expect(frontend).not.toEqual({ double: 1 })
    expect(() => Object.assign(frontend, { double: 5 })).toThrow(TypeError)
    // An answer shows that everything sent before it has arrived.
    expect(await frontend.double({ n: 1 })).toBe(2)
    expect(called).toEqual([])
  }))

test('a proxy can be made before its frontend, and its calls reject until then', async () => {
  const later = bus.frontend<Functions>('later')
  await expect(later.double({ n: 1 })).rejects.toMatchObject({ reason: 'Disconnected' })
  const client = await bus.connect('later')
  client.expose({ double: ({ n }: { n: number }) => n * 2 })
  expect(await later.double({ n: 1 })).toBe(2)
  await client.close()
})

test('a label that is not a string is refused', () =>
  rows(proxies)((name, create) => {
    const frontend = name === 'bus.frontend' ? bus.frontend.bind(bus) : app.frontend
    expect(create).not.toThrow()
    expect(() => frontend(5 as unknown as string)).toThrow(`${name} takes the label of a frontend: got number`)
  }))
