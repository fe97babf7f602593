// What `@mastra/core` asks of a transport.
import { expect, test, vi } from 'vitest'
import type { TransportRun } from '../src/to-transport.js'
import { toTransport } from '../src/index.js'
import { reuseBus } from './start.js'

const getBus = reuseBus()
const given = { toolIds: ['get-weather'], dispatch: async (_: string, args: unknown) => args, timeout: 60_000 }
const run = async (program: string, options: Partial<TransportRun> = {}) =>
  toTransport(getBus()).run({ program, ...given, ...options })

test('a tool is a global function with the name that Mastra declares', async () => {
  const dispatch = vi.fn<TransportRun['dispatch']>(async () => 'sun')
  expect(await run(`return external_get_weather({ city: 'a' })`, { dispatch })).toEqual({
    success: true,
    result: 'sun',
    logs: [],
  })
  expect(dispatch).toHaveBeenCalledWith('get-weather', { city: 'a' })
})

test('the hooks of a call get its tool and its result, and what they throw is no error of the code', async () => {
  const onExternalCall = vi.fn<() => void>(() => {
    throw new Error('tracing')
  })
  const onExternalResult = vi.fn<() => void>(() => {
    throw new Error('tracing')
  })
  expect(await run('return external_get_weather({ a: 1 })', { onExternalCall, onExternalResult })).toMatchObject({
    result: { a: 1 },
  })
  expect(onExternalCall).toHaveBeenCalledWith('get-weather', { a: 1 })
  expect(onExternalResult).toHaveBeenCalledWith('get-weather', expect.any(Number), undefined)
  const error = new Error('rain')
  const dispatch = async (): Promise<never> => Promise.reject(error)
  expect(await run('await external_get_weather()', { dispatch, onExternalResult })).toMatchObject({ success: false })
  expect(onExternalResult).toHaveBeenLastCalledWith('get-weather', expect.any(Number), error)
})

test('an error has its name and its line', async () => {
  expect(await run(`\n\n throw new RangeError('no')`)).toEqual({
    success: false,
    error: { name: 'RangeError', message: 'no', line: 3 },
    logs: [],
  })
})

test('an aborted signal ends a program before it starts', async () => {
  expect(await run('return 1', { abortSignal: AbortSignal.abort() })).toMatchObject({
    success: false,
    error: { name: 'AbortError' },
  })
})

test('two tools that would share a name are refused', async () => {
  await expect(run('', { toolIds: ['a-b', 'a.b'] })).rejects.toMatchObject({ reason: 'InvalidParams' })
})

const typed = `interface Note { id: number }\nconst note: Note = { id: 1 }; return note.id as number`

test('TypeScript runs', async () => {
  expect(await run(typed)).toMatchObject({ result: 1 })
})

test('types that take for ever to remove do not occupy the host', async () => {
  const endless = `let q: 1; x = ${'async <T>(a='.repeat(60)}b${')'.repeat(60)}`
  const controller = new AbortController()
  let ticks = 0
  const timer = setInterval(() => ++ticks > 10 && controller.abort(), 1)
  expect(await run(endless, { timeout: 60_000, abortSignal: controller.signal })).toMatchObject({
    success: false,
    error: { name: 'AbortError' },
  })
  clearInterval(timer)
})
