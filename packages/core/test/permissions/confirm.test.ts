// `ctx.confirm`: from a command to the host's `onConfirm` and back, and the fate of a request when one side disconnects.
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import type { BusOptions, Client, OnConfirm } from '../../src/index.js'
import { connectUsers } from '../../src/internal.js'
import { fixture, isolation, next, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

type Request = Parameters<OnConfirm>[1] & { text: string; answer(agreed: unknown): void }

const permissions = ['allow-ask', 'allow-ask-anyway', 'allow-ask-early', 'allow-exit']
const all = { identifier: 'all', windows: ['*'], permissions }
const definition = async (): Promise<BusOptions['core']> =>
  ((await import('../fixtures/permissions/confirming.mjs' as string)) as { default: BusOptions['core'] }).default

/** Starts a bus whose confirm requests stay open until the test answers them. */
async function startConfirming(options: Partial<BusOptions> = {}) {
  const requests: Request[] = []
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const onConfirm: BusOptions['onConfirm'] = (text, from) =>
    new Promise(answer => void requests.push({ ...from, text, answer: answer as Request['answer'] }))
  const app = { capabilities: [all] }
  const bus = await start({ core: fixture('permissions/confirming.mjs'), ...app, log, onConfirm, ...options })
  const open = (count: number): Promise<void> => expect.poll(() => requests.length).toBe(count)
  return { bus, requests, lines, open }
}

const ask = (client: Client, text = 'Really?', options = {}): Promise<unknown> =>
  client.invoke('ask', { text }, options)
const getReason = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: { reason: string }) => error.reason,
  )

describe.each(
  choose<[string, () => Promise<Partial<BusOptions>>]>(
    [
      ['core in a worker', async () => ({})],
      ['isolation', async () => isolation('judge', {}, all)],
      ['core in this thread', async () => ({ core: await definition() })],
    ],
    1,
  ),
)('ctx.confirm: %s', (_name, options) => {
  test('resolves with the answer, which is false unless it is true', async () => {
    const { bus, requests, open } = await startConfirming(await options())
    const client = await bus.connect('tests')
    for (const [n, [hostAnswer, expected]] of [
      [true, true],
      [false, false],
      ['yes', false],
      [undefined, false],
    ].entries()) {
      const answer = ask(client, `\u001b[2KDelete ${n}?`)
      await open(n + 1)
      expect(requests[n]).toMatchObject({ text: `\uFFFD[2KDelete ${n}?`, label: 'tests', command: 'ask' })
      requests[n]!.answer(hostAnswer)
      expect(await answer).toBe(expected)
      expect(requests[n]!.signal?.aborted).toBe(false)
    }
  })

  test('withdraws its request when its call is cancelled, drops the answer, and rejects also if nobody awaits it yet', async () => {
    const { bus, requests, open } = await startConfirming(await options())
    const client = await bus.connect('tests')
    const controller = new AbortController()
    const confirmed = next(bus, 'confirmed')
    const { signal } = controller
    const outcome = getReason(client.invoke('ask_early', { text: 'Really?' }, { signal }))
    await open(1)
    controller.abort()
    expect(await outcome).toBe('Cancelled')
    expect(await confirmed).toBe('Cancelled')
    await expect.poll(() => requests[0]!.signal?.aborted).toBe(true)
    const second = ask(client)
    await open(2)
    requests[0]!.answer(true)
    requests[1]!.answer(false)
    expect(await second).toBe(false)
  })

  test('withdraws its request when its frontend disconnects', async () => {
    const { bus, requests, open } = await startConfirming(await options())
    const client = await bus.connect('tests')
    const outcome = getReason(ask(client))
    await open(1)
    await client.close()
    expect(await outcome).toBe('Disconnected')
    await expect.poll(() => requests[0]!.signal?.aborted).toBe(true)
  })

  test('has at most 1024 open requests for a label of many users', async () => {
    const { bus, requests, open } = await startConfirming(await options())
    const client = await connectUsers(bus, 'users', {})
    for (let n = 0; n < 1024; n++) ask(client).catch(() => {})
    await open(1024)
    await expect(ask(client)).rejects.toMatchObject({ reason: 'Overloaded', message: expect.stringContaining('1024') })
    const free = ask(await bus.connect('other'))
    await open(1025)
    requests[1024]!.answer(true)
    expect(await free).toBe(true)
  })

  test('has at most 16 open requests for each frontend, cancelled or not', async () => {
    const { bus, requests, open } = await startConfirming(await options())
    const [flooding, other] = [await bus.connect('flooding'), await bus.connect('other')]
    const controller = new AbortController()
    const { signal } = controller
    const calls = Array.from({ length: 16 }, (_, n) => getReason(ask(flooding, 'x', n < 8 ? { signal } : {})))
    await open(16)
    controller.abort()
    await Promise.all(calls.slice(0, 8))
    const many = Array.from({ length: 500 }, () => getReason(ask(flooding)))
    expect(new Set(await Promise.all(many))).toEqual(new Set(['Overloaded']))
    const free = ask(other)
    await open(17)
    requests[16]!.answer(true)
    expect(await free).toBe(true)
    requests[0]!.answer(true)
    // The answer is in flight to core. Until it arrives, the limit holds.
    const again: Promise<unknown>[] = []
    await expect.poll(() => (again.push(getReason(ask(flooding))), requests.length)).toBeGreaterThan(17)
    const outcomes = Promise.all(again)
    const answerAll = setInterval(() => requests.slice(17).forEach(request => request.answer(true)), 1)
    expect(await outcomes.finally(() => clearInterval(answerAll))).toContain('resolved')
  })

  test('does not keep the bus from closing', async () => {
    const { bus, requests, open } = await startConfirming(await options())
    const outcome = getReason(ask(await bus.connect('tests')))
    await open(1)
    await bus.close({ timeout: 1 })
    expect(await outcome).toBe('Disconnected')
    await expect.poll(() => requests[0]!.signal?.aborted).toBe(true)
    requests[0]!.answer(true)
  })
})

test('an onConfirm that throws counts as false, and is logged', async () => {
  for (const onConfirm of [() => Promise.reject(new Error('no screen')), () => JSON.parse('{')]) {
    const { bus, lines } = await startConfirming({ onConfirm: onConfirm as () => boolean })
    expect(await ask(await bus.connect('tests'))).toBe(false)
    const line = { msg: 'onConfirm failed: answering false', label: 'tests', command: 'ask', level: 50 }
    expect(lines).toContainEqual(expect.objectContaining(line))
  }
})

test('a missing onConfirm counts as false, and is logged once', async () => {
  const { bus, lines } = await startConfirming({ onConfirm: undefined as never })
  const client = await bus.connect('tests')
  expect([await ask(client), await ask(client)]).toEqual([false, false])
  expect(lines.filter(({ msg }) => String(msg).includes('without onConfirm'))).toHaveLength(1)
})

test('an answer to a request of an earlier core does not settle a request of the new core', async () => {
  const { bus, requests, open } = await startConfirming()
  const client = await bus.connect('tests')
  const first = getReason(ask(client, 'First?'))
  await open(1)
  client.invoke('exit').catch(() => {})
  expect(await first).toBe('Disconnected')
  await expect.poll(() => requests[0]!.signal?.aborted).toBe(true)
  let second: Promise<unknown> = Promise.resolve()
  await expect.poll(async () => getReason(client.listen('x', () => {}))).toBe('resolved')
  second = ask(client, 'Second?')
  await open(2)
  requests[0]!.answer(true)
  let isSettled = false
  void second.then(() => (isSettled = true))
  // Core answers this after the answer has reached it.
  await bus.emit('a-round-trip')
  await client.listen('y', () => {})
  expect(isSettled).toBe(false)
  requests[1]!.answer(false)
  expect(await second).toBe(false)
})
