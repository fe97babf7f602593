// Functions of the host for one run of `bus.run`.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type RunFunctions, type RunOptions } from '../../src/index.js'
import { isolation, next, reuseBus, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const sandboxes = [
  ['permission', 'permission'],
  ['process', 'process'],
  ['quickjs', 'quickjs'],
] as const satisfies [string, RunOptions['sandbox']][]

const getBus = reuseBus()
const run = async (source: string, options?: RunOptions): Promise<unknown> => (await getBus()).run(source, options)

const functions: RunFunctions = {
  notes: {
    search: {
      description: 'Finds notes',
      args: z.object({ query: z.string(), limit: z.number().default(3) }),
      handler: ({ query, limit }: { query: string; limit: number }) => [query, limit],
    },
    count: () => 2,
    delete: () => {
      throw new Error('is in use', { cause: new Error('a secret') })
    },
  },
  math: { double: async ({ value }: { value: number }) => value * 2 },
}

describe.each(choose(sandboxes))('sandbox: %s', (_, sandbox) => {
  test('the code calls them by namespace, with the output of their schemas', async () => {
    const source = `return [await notes.search({ query: 'a' }), await notes.count(), await math.double(args)]`
    expect(await run(source, { sandbox, functions, args: { value: 4 } })).toEqual([['a', 3], 2, 8])
  })

  test('the code can have variables with their names, and errors keep their places', async () => {
    expect(await run('const notes = 1, math = 2; return notes + math', { sandbox, functions })).toBe(3)
    await expect(run('1\n  a b', { sandbox, functions })).rejects.toThrow('run.js:2:5')
    const error = await run('  null.x', { sandbox, functions }).catch((thrown: unknown) => thrown)
    expect((error as Error & { cause: Error }).cause.stack).toMatch(/run\.js:1:\d\b/)
  })

  test('an error of a handler arrives with its message alone', async () => {
    const source =
      'try { await notes.delete() } catch (error) { return [error.message, String(error.cause), String(error.stack)] }'
    const [message, cause, stack] = (await run(source, { sandbox, functions })) as string[]
    expect(message).toBe('is in use')
    expect(`${cause}${stack}`).not.toMatch(/secret|run-functions\.test/)
  })

  test('arguments that the schema refuses do not reach the handler', async () => {
    await expect(run('await notes.search({ query: 1 })', { sandbox, functions })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining('invalid args `query` for command `notes.search`') as string,
    })
  })
})

test('another run cannot call them, even while this one runs', async () => {
  const bus = await getBus()
  const asked = next(bus, 'asked')
  let isCalled = false
  const secret = { secret: { read: () => (isCalled = true) } }
  const first = bus.run(`emit('asked'); await new Promise(done => listen('over', done)); return secret.read()`, {
    functions: secret,
    timeout: false,
  })
  await asked
  const command = `invoke('plugin:host|run_function', { name: 'secret.read', args: {} })`
  await expect(bus.run(`return ${command}`)).rejects.toMatchObject({ reason: 'MethodNotFound' })
  await expect(bus.run(`return ${command}`, { functions })).rejects.toMatchObject({ reason: 'MethodNotFound' })
  expect(await bus.run('return typeof secret', { functions })).toBe('undefined')
  expect(isCalled).toBe(false)
  await bus.emit('over')
  expect(await first).toBe(true)
})

test('the signal of a handler aborts when the run ends', async () => {
  const bus = await getBus()
  let signal: AbortSignal | undefined
  const controller = new AbortController()
  const wait = async (_: unknown, ctx: { signal: AbortSignal }): Promise<never> => {
    ;({ signal } = ctx)
    controller.abort()
    return new Promise(() => {})
  }
  const running = bus.run('await host.wait()', { signal: controller.signal, functions: { host: { wait } } })
  await expect(running).rejects.toMatchObject({ reason: 'Cancelled' })
  await expect.poll(() => signal?.aborted).toBe(true)
})

test('an error of its answer names the function', async () => {
  const running = run('await notes.bad()', { functions: { notes: { bad: () => () => 1 } } })
  await expect(running).rejects.toThrow(/^The result of function "notes\.bad" cannot be serialized/)
})

test('a name, which is not there, names what is', () =>
  rows([
    ['notes.serach({})', 'notes.serach is not a function (did you mean "search"?)'],
    ['notes.other()', 'notes.other is not a function. notes has search, list'],
    ['note.list()', 'note is not defined (did you mean "notes"?)'],
    ['list()', 'list is not defined (did you mean "notes.list"?)'],
    ['nothing()', 'nothing is not defined'],
  ])(async (code, message) => {
    const options = { functions: { notes: { search: () => 1, list: () => 1 } } }
    for (const sandbox of ['quickjs', 'permission'] as const)
      await expect(run(`return ${code}`, { ...options, sandbox })).rejects.toMatchObject({ message, data: message })
  }))

test('the hook of the isolation pattern judges their calls', async () => {
  const bus = await start(isolation('judge'))
  expect(await bus.run(`return notes.count()`, { functions })).toBe(2)
})

const handler = (): number => 1

test('refuses wrong functions', () =>
  rows<[unknown, string]>([
    [JSON.parse('{ "__proto__": { "a": {} } }'), '"__proto__" is reserved'],
    [{ __proto__: { a: handler } }, 'must be an object of its own'],
    [{ constructor: { a: handler } }, '"constructor" is reserved'],
    [{ notes: { constructor: handler } }, 'functions.notes: "constructor" is reserved'],
    [{ notes: { then: handler } }, 'functions.notes: "then" is reserved'],
    [{ Object: { a: handler } }, '"Object" is reserved, because it is a global'],
    [{ invoke: { a: handler } }, '"invoke" is reserved, because it is a global'],
    [{ setTimeout: { a: handler } }, '"setTimeout" is reserved, because it is a global'],
    [{ await: { a: handler } }, '"await" is reserved in JavaScript'],
    [{ class: { a: handler } }, '"class" is reserved in JavaScript'],
    [{ 'a-b': { a: handler } }, '"a-b" must be an identifier'],
    [{ notes: { "a'] + evil() + ['": handler } }, 'must be an identifier'],
    [{ 'a\n': { a: handler } }, 'must be an identifier'],
    [{ notes: 1 }, 'functions.notes: must be an object'],
    [{ notes: new Map() }, 'functions.notes: must be an object of its own'],
    [{ notes: { a: 1 } }, 'functions.notes.a must be a function, or { description, args, handler }'],
    [{ notes: { a: {} } }, 'functions.notes.a: handler is missing'],
    [{ notes: { a: { handler, args: {} } } }, 'functions.notes.a: args must be a Standard Schema'],
    [{ notes: { a: { handler, arg: 1 } } }, 'functions.notes.a: unknown option "arg"'],
    [{ notes: { a: { handler, description: 1 } } }, 'functions.notes.a: description must be a string'],
    [[], 'bus.run: functions must be an object'],
  ])(async (value, text) => {
    await expect(run('', { functions: value as RunFunctions })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(text) as string,
    })
  }))
