// Tools that ask the user: the SDK's own client drives them, and the host is killed while the user thinks.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { getLog } from '@sallyport/core/internal'
import { MAX_CONFIRM_REQUESTS } from '@sallyport/protocol/internal/wire'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import {
  answerWith,
  callOnce,
  CODE,
  connectHttp,
  connectStdio,
  createAnswering,
  KEY,
  serveOverHttp,
  startAsking,
} from './asking.js'
import { makeDirectory } from './start.js'

const HOST = fileURLToPath(new URL('fixtures/asking-host.mjs', import.meta.url))
const PAYS = `const orders = await invoke('count', { upTo: 2 })
  const states = []
  for (const order of orders) states.push(await invoke('pay', { order }))
  return states.join()`
const textOf = (text: unknown) => ({ content: [{ type: 'text', text }] })
const refused = { code: -32602, message: expect.stringContaining('Invalid or expired requestState') as string }

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

/** Hosts of one address, of which one runs at a time. */
async function startHosts() {
  const directory = makeDirectory()
  const files = [join(directory, 'effects'), join(directory, 'claim')] as const
  let host: ChildProcess | undefined
  let port = 0
  const start = async (): Promise<void> => {
    host = fork(HOST, [...files, String(port)])
    const [message] = (await once(host, 'message')) as [number]
    port = message
  }
  const kill = async (): Promise<void> => {
    host?.kill('SIGKILL')
    if (host) await once(host, 'exit')
  }
  closers.push(kill)
  await start()
  return {
    url: new URL(`http://127.0.0.1:${port}/mcp`),
    files,
    getEffects: () => readFileSync(files[0], 'utf8').trim().split('\n'),
    /** Kills the host, and starts another one with the same key. */
    async replace() {
      await kill()
      await start()
    },
  }
}

const connectTo = async (...[answer, mode]: Parameters<typeof createAnswering>): Promise<Client> =>
  connectHttp(await serveOverHttp(await startAsking()), createAnswering(answer, mode))

test('a script asks twice, the host is killed each time, and another one goes on: each effect happens once', async () => {
  const hosts = await startHosts()
  const asked: string[] = []
  const client = createAnswering(async question => {
    asked.push(question)
    await hosts.replace()
    return { action: 'accept', content: { confirm: asked.length === 1 } }
  })
  await connectHttp(hosts.url, client)
  const result = await client.callTool({ name: 'code__run', arguments: { code: PAYS } })
  expect(result).toMatchObject(textOf('paid,refused'))
  expect(asked).toEqual(['Pay for order 1?', 'Pay for order 2?'])
  expect(hosts.getEffects()).toEqual(['counted', 'paid for order 1'])
})

test('over stdio, a question of one host is answered to another', async () => {
  const { files, getEffects } = await startHosts()
  const connect = async (): Promise<Client> => {
    const client = createAnswering()
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [HOST, ...files, 'stdio'] }))
    return client
  }
  const first = await connect()
  const { requestState } = await callOnce(first, { code: PAYS })
  await first.close()
  const second = await connect()
  const round = await callOnce(second, { code: PAYS }, answerWith(requestState))
  expect(await callOnce(second, { code: PAYS }, answerWith(round.requestState))).toMatchObject(textOf('paid,paid'))
  expect(getEffects()).toEqual(['counted', 'paid for order 1', 'paid for order 2'])
})

test('over stdio, a client of the protocol before is asked within its call', async () => {
  const asked: string[] = []
  const answer = (question: string): object => {
    asked.push(question)
    return { action: 'accept', content: { confirm: true } }
  }
  const client = await connectStdio(await startAsking(), createAnswering(answer, 'legacy'))
  expect(await client.callTool({ name: 'code__run', arguments: { code: CODE } })).toMatchObject(textOf('true,true'))
  expect(asked).toEqual(['a', 'b'])
})

test('in the protocol before, a call that is cancelled while its user is asked makes room for other questions', async () => {
  let leave: (() => void) | undefined
  const answer = (): object | Promise<object> => {
    leave?.()
    return leave ? new Promise(() => {}) : { action: 'accept', content: { confirm: true } }
  }
  const client = await connectStdio(await startAsking(), createAnswering(answer, 'legacy'))
  const call = (options?: object) => client.callTool({ name: 'remove', arguments: { names: ['a'] } }, options)
  for (let at = 0; at <= MAX_CONFIRM_REQUESTS; at++) {
    const asked = new AbortController()
    leave = () => asked.abort()
    await expect(call({ signal: asked.signal })).rejects.toThrow()
  }
  leave = undefined
  expect(await call()).toMatchObject(textOf('removed: a'))
})

test('only a user who agrees has agreed', async () => {
  const url = await serveOverHttp(await startAsking())
  await rows({
    agrees: [{ action: 'accept', content: { confirm: true } }, true],
    'answers no': [{ action: 'accept', content: { confirm: false } }, false],
    declines: [{ action: 'decline' }, false],
    'closes the dialog': [{ action: 'cancel' }, false],
    'declines with a yes': [{ action: 'decline', content: { confirm: true } }, false],
  } as Record<string, [object, boolean]>)(async ([answer, isYes]) => {
    const client = await connectHttp(
      url,
      createAnswering(() => answer),
    )
    const code = `return String(await invoke('ask', { asks: 'x' }))`
    expect(await client.callTool({ name: 'code__run', arguments: { code } })).toMatchObject(textOf(String(isYes)))
  })
})

test('a user is not asked what code returns, or what cannot be shown to its end', async () => {
  const effects: string[] = []
  const asked: string[] = []
  const answer = (question: string): object => {
    asked.push(question)
    return { action: 'accept', content: { confirm: true } }
  }
  const url = await serveOverHttp(await startAsking(effects))
  const client = await connectHttp(url, createAnswering(answer))
  await rows([
    [`return { status: 'interrupted', continuation: new Uint8Array(100), data: 'Go on?' }`, 'not a continuation'],
    [`return invoke('ask', { asks: 'x'.repeat(4097) })`, 'the question has 4097 characters, and 4096 are shown'],
  ] as const)(async (code, text) => {
    const result = await client.callTool({ name: 'code__run', arguments: { code } })
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining(text) as string }] })
  })
  expect([...asked, ...effects]).toEqual([])
})

test('what a client calls an answer, without one, is asked again, and claims nothing', async () => {
  const client = await connectTo()
  const { requestState } = await callOnce(client, { code: CODE })
  const again = await callOnce(client, { code: CODE }, { requestState })
  expect(again.requestState).toBe(requestState)
  for (const confirm of ['true', 1, null, {}]) {
    const next = await callOnce(client, { code: CODE })
    const inputResponses = { confirm: { action: 'accept', content: { confirm } } }
    const second = await callOnce(client, { code: CODE }, { requestState: next.requestState, inputResponses })
    expect(await callOnce(client, { code: CODE }, answerWith(second.requestState))).toMatchObject(textOf('false,true'))
  }
})

test('a client that cannot ask its user gets an error that says so', () =>
  rows(['auto', 'legacy'] as const)(async mode => {
    const client = await connectTo(null, mode)
    const call = client.callTool({ name: 'code__run', arguments: { code: CODE } })
    const outcome = await call.then(
      ({ content, isError }) => `${isError} ${JSON.stringify(content)}`,
      (error: unknown) => String(error),
    )
    expect(outcome).toMatch(/capabilit/)
  }))

test('a second answer is refused, and nothing happens twice', async () => {
  const effects: string[] = []
  const client = await connectHttp(await serveOverHttp(await startAsking(effects)), createAnswering())
  const { requestState } = await callOnce(client, { code: CODE })
  const answers = await Promise.all(
    [true, false, true].map(confirm => callOnce(client, { code: CODE }, answerWith(requestState, confirm))),
  )
  answers.push(await callOnce(client, { code: CODE }, answerWith(requestState)))
  const failed = answers.filter(({ isError }) => isError)
  expect(failed).toHaveLength(3)
  for (const each of failed)
    expect(each).toMatchObject(textOf(expect.stringMatching(/InvalidRequest: .*answered before/)))
  expect(effects).toHaveLength(1)
})

test('a state is worth nothing once a bit of it is changed, cut or added', async () => {
  const effects: string[] = []
  const client = await connectHttp(await serveOverHttp(await startAsking(effects)), createAnswering())
  const { requestState = '' } = await callOnce(client, { code: CODE })
  const bytes = Buffer.from(requestState, 'base64url')
  const places = [0, 3, 7, 20, 60, 100, bytes.length >> 1, bytes.length - 17, bytes.length - 1]
  const changed = places.map(place => {
    const copy = Buffer.from(bytes)
    copy[place]! ^= 1
    return copy.toString('base64url')
  })
  const states = [...changed, '', 'x', requestState.slice(0, -8), `${requestState}AAAA`, 'A'.repeat(2 ** 20 + 1)]
  for (const state of states)
    await expect(callOnce(client, { code: CODE }, answerWith(state))).rejects.toMatchObject(refused)
  expect(effects).toEqual([])
  expect(await callOnce(client, { code: CODE }, answerWith(requestState))).toHaveProperty('requestState')
})

test('a state is of one user, one label, one tool and its arguments', async () => {
  const bus = await startAsking()
  const url = await serveOverHttp(bus)
  const client = await connectHttp(url, createAnswering(), 'Bearer ada')
  const { requestState } = await callOnce(client, { code: CODE, more: { a: 1, b: 2 } })
  const answer = answerWith(requestState)
  const args = { code: CODE, more: { a: 1, b: 2 } }
  const bob = await connectHttp(url, createAnswering(), 'Bearer bob')
  const nobody = await connectHttp(url, createAnswering())
  for (const other of [bob, nobody]) await expect(callOnce(other, args, answer)).rejects.toMatchObject(refused)
  for (const given of [{ code: CODE }, { ...args, code: `${CODE} ` }, { code: CODE, more: { a: 1, b: 3 } }])
    await expect(callOnce(client, given, answer)).rejects.toMatchObject(refused)
  const others = await serveOverHttp(bus, {}, { label: 'other' })
  const other = await connectHttp(others, createAnswering(), 'Bearer ada')
  await expect(callOnce(other, args, answer)).rejects.toMatchObject(refused)
  await bus.removePlugin('code')
  await bus.addPlugin({
    name: 'code',
    commands: { run: () => 'changed' },
    permissions: [{ default: { permissions: ['allow-run'] } }],
  })
  await expect(callOnce(client, args, answer)).rejects.toMatchObject(refused)
})

test('a state expires after a week, and is refused by a host with another key', async () => {
  const url = await serveOverHttp(await startAsking())
  const client = await connectHttp(url, createAnswering())
  const { requestState } = await callOnce(client, { code: CODE })
  const foreign = await startAsking([], { runs: { key: Uint8Array.from(KEY, byte => byte ^ 1) } })
  const other = await connectHttp(await serveOverHttp(foreign), createAnswering())
  await expect(callOnce(other, { code: CODE }, answerWith(requestState))).rejects.toMatchObject(refused)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 7 * 24 * 3_600_000 - 60_000 })
  closers.push(() => vi.useRealTimers())
  const again = await callOnce(client, { code: CODE }, answerWith(requestState))
  expect(again.inputRequests).toMatchObject({ confirm: { params: { message: 'b' } } })
  vi.setSystemTime(Date.now() + 60_001)
  await expect(callOnce(client, { code: CODE }, answerWith(requestState))).rejects.toMatchObject(refused)
})

test('a client cannot answer for its user, or bring a run of its own', async () => {
  const effects: string[] = []
  const client = await connectHttp(await serveOverHttp(await startAsking(effects)), createAnswering())
  const { tools } = await client.listTools()
  const { inputSchema } = tools.find(({ name }) => name === 'code__run')!
  expect(Object.keys(inputSchema.properties ?? {})).toEqual(['code'])
  const interruptedRun = { continuation: 'x', data: 'x', answer: true }
  const asked = await callOnce(client, { code: CODE, interruptedRun })
  expect(asked.inputRequests).toMatchObject({ confirm: { params: { message: 'a' } } })
  expect(effects).toEqual([])
})

test('code that holds more than a state has is an error of the tool, and so is a bus without a key', async () => {
  const client = await connectTo()
  const code = `const noise = Array.from({ length: 16 }, () => crypto.getRandomValues(new Uint8Array(65_536)))
    await invoke('ask', { asks: 'a' }); return noise.length`
  expect(await callOnce(client, { code })).toMatchObject({
    isError: true,
    ...textOf(expect.stringContaining('Overloaded: The user cannot be asked')),
  })
  const keyless = await startAsking([], { runs: {} })
  const other = await connectHttp(await serveOverHttp(keyless), createAnswering())
  const failed = await callOnce(other, { code: CODE })
  expect(failed).toMatchObject(textOf(expect.stringContaining('no key for continuations')))
})

test('many questions wait at once, in any order of their answers, and the host keeps nothing of them', async () => {
  const bus = await startAsking()
  const client = await connectHttp(await serveOverHttp(bus), createAnswering())
  const codes = Array.from({ length: 30 }, (_, n) => `return ${n} + Number(await invoke('ask', { asks: '${n}' }))`)
  const asked = await Promise.all(codes.map(code => callOnce(client, { code })))
  expect(bus.frontends().map(({ label }) => label)).toEqual(['agent'])
  const answers = codes.map((code, n) => [code, asked[n]!.requestState] as const).toReversed()
  const results = await Promise.all(answers.map(([code, state]) => callOnce(client, { code }, answerWith(state))))
  expect(results.map(({ content }) => (content as { text: string }[])[0]!.text)).toEqual(
    Array.from({ length: 30 }, (_, n) => String(30 - n)),
  )
})

test('a host whose answers can be given twice is warned at its start', () =>
  rows([
    [{}, 1],
    [{ runs: {} }, 0],
    [{ runs: { key: KEY, claim: () => true } }, 0],
  ] as const)(async (options, count) => {
    const bus = await startAsking([], options)
    const warn = vi.spyOn(getLog(bus), 'warn')
    await serveOverHttp(bus, {}, { label: 'plain', allow: ['remove'] })
    await serveOverHttp(bus)
    await connectStdio(bus, createAnswering(), 'other')
    await bus.describe('agent')
    expect(
      warn.mock.calls.flat().filter(text => /^Answers of users .*runs: { claim }/.test(String(text))),
    ).toHaveLength(count)
  }))

describe('a command that waits in ctx.confirm', () => {
  const remove = (client: Client, names: string[], more: object = {}) => callOnce(client, { names }, more, 'remove')

  test('asks the user of its call, and goes on where it waits', () =>
    rows([
      ['http', 'auto', 'agent'],
      ['stdio', 'auto', 'other'],
      ['stdio', 'legacy', 'agent'],
    ] as const)(async (kind, mode, label) => {
      const effects: string[] = []
      const bus = await startAsking(effects)
      const confirm = (question: string): object => ({
        action: 'accept',
        content: { confirm: question !== 'Remove b?' },
      })
      const client = createAnswering(confirm, mode)
      if (kind === 'http') await connectHttp(await serveOverHttp(bus), client)
      else await connectStdio(bus, client, label)
      const calls = [['a', 'b', 'c'], ['b'], ['d'], []].map(names =>
        client.callTool({ name: 'remove', arguments: { names } }),
      )
      const texts = (await Promise.all(calls)).map(({ content }) => (content as { text: string }[])[0]!.text)
      expect(texts).toEqual(['removed: a,c', 'removed: ', 'removed: d', 'removed: '])
      expect(effects).toEqual(['asks for a,b,c', 'asks for b', 'asks for d', 'asks for '])
      const both = await client.callTool({ name: 'removeBoth', arguments: {} })
      expect(both).toMatchObject(textOf('true,false'))
    }))

  test('is answered by onConfirm of a host that has it, and by no client in its place', () =>
    rows([true, false])(async isYes => {
      const bus = await startAsking([], { onConfirm: () => isYes })
      const client = await connectHttp(await serveOverHttp(bus), createAnswering())
      expect(await remove(client, ['a'])).toMatchObject(textOf(isYes ? 'removed: a' : 'removed: '))
    }))

  test('fails if its client cannot be asked: no answer is not a no', () =>
    rows([
      ['http', null, 'auto'],
      ['http', null, 'legacy'],
      // A client of the SDK has this protocol unless it negotiates.
      ['http', undefined, 'legacy'],
      ['stdio', null, 'auto'],
    ] as const)(async (kind, answer, mode) => {
      const effects: string[] = []
      const bus = await startAsking(effects)
      const client = createAnswering(answer, mode)
      if (kind === 'http') await connectHttp(await serveOverHttp(bus), client)
      else await connectStdio(bus, client)
      const result = await client.callTool({ name: 'remove', arguments: { names: ['a'] } })
      expect(result).toMatchObject({
        isError: true,
        ...textOf(expect.stringMatching(/InvalidRequest: The user cannot be asked: .*2026-07-28/)),
      })
      expect(effects).toEqual(['asks for a'])
    }))

  test('takes one answer, of its own user, for its own arguments', async () => {
    const url = await serveOverHttp(await startAsking())
    const ada = await connectHttp(url, createAnswering(), 'Bearer ada')
    const bob = await connectHttp(url, createAnswering(), 'Bearer bob')
    const { requestState } = await remove(ada, ['a'])
    const answer = answerWith(requestState)
    await expect(remove(bob, ['a'], answer)).rejects.toMatchObject(refused)
    await expect(remove(ada, ['b'], answer)).rejects.toMatchObject(refused)
    await expect(remove(ada, ['a'], answerWith(`${requestState}0`))).rejects.toMatchObject(refused)
    expect((await remove(ada, ['a'], { requestState })).requestState).toBe(requestState)
    const answers = await Promise.allSettled([remove(ada, ['a'], answer), remove(ada, ['a'], answer)])
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await expect(remove(ada, ['a'], answer)).rejects.toMatchObject(refused)
  })

  test('takes no copy of an answer for its next question', async () => {
    const client = await connectStdio(await startAsking(), createAnswering())
    const removeBoth = (more: object = {}) => callOnce(client, {}, more, 'removeBoth')
    const { requestState } = await removeBoth()
    const [first, copy] = await Promise.all([
      removeBoth(answerWith(requestState)),
      removeBoth(answerWith(requestState)),
    ])
    expect(first).toMatchObject({ inputRequests: { confirm: { params: { message: 'Remove b?' } } } })
    expect(copy).toMatchObject({ isError: true, ...textOf(expect.stringContaining('No call waits for this answer')) })
    expect(await removeBoth(answerWith(first.requestState, false))).toMatchObject(textOf('true,false'))
  })

  test('is cancelled if no answer comes within ten minutes, and takes none later', async () => {
    const effects: string[] = []
    const client = await connectHttp(await serveOverHttp(await startAsking(effects)), createAnswering())
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    closers.push(() => vi.useRealTimers())
    const { requestState } = await remove(client, ['a'])
    await vi.advanceTimersByTimeAsync(599_999)
    expect(effects).toEqual(['asks for a'])
    await vi.advanceTimersByTimeAsync(1)
    await new Promise(setImmediate)
    vi.useRealTimers()
    await expect(remove(client, ['a'], answerWith(requestState))).rejects.toMatchObject(refused)
    expect(effects).toEqual(['asks for a', 'cancelled: The caller cancelled the call'])
  })

  test('has ten minutes for each of its questions', async () => {
    const client = await connectHttp(await serveOverHttp(await startAsking()), createAnswering())
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    closers.push(() => vi.useRealTimers())
    let round = await remove(client, ['a', 'b'])
    for (const _name of ['a', 'b']) {
      await vi.advanceTimersByTimeAsync(400_000)
      round = await remove(client, ['a', 'b'], answerWith(round.requestState))
    }
    expect(round).toMatchObject(textOf('removed: a,b'))
  })

  test('waits with fifteen others of its user: a further one is refused, and all of them are answered', async () => {
    const url = await serveOverHttp(await startAsking())
    const client = await connectHttp(url, createAnswering(), 'Bearer ada')
    const names = Array.from({ length: 16 }, (_, n) => String(n))
    const asked = await Promise.all(names.map(name => remove(client, [name])))
    expect(await remove(client, ['17'])).toMatchObject({
      isError: true,
      ...textOf(expect.stringMatching(/Overloaded: 16 questions of this user are open.*10 minutes/)),
    })
    const others = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const other = await connectHttp(url, createAnswering(), `Bearer ${n}`)
        return other.callTool({ name: 'remove', arguments: { names: ['a'] } })
      }),
    )
    expect(others).toMatchObject(others.map(() => textOf('removed: a')))
    const answered = await Promise.all(
      names.map((name, n) => remove(client, [name], answerWith(asked[n]!.requestState))),
    )
    expect(answered).toMatchObject(names.map(name => textOf(`removed: ${name}`)))
  })
})
