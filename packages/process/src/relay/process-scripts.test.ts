// The end of a process of many scripts, as its relay sees it: the process is a double.
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { MessageChannel } from 'node:worker_threads'
import {
  countTurns,
  getMemberStreams,
  MAX_OUTPUT_TEXT,
  type MemberCommand,
} from '@sallyport/protocol/internal/contract'
import { createLinkEndpoints, openLink, StreamLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, getText, MAX_LAST_OUTPUT, MAX_WAITING_OUTPUT } from '@sallyport/protocol/internal/wire'
import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { ProcessScripts } from './process-scripts.js'

/** Texts are joined up to half of the maximum length. */
const MAX_UNREAD_TEXTS = (2 * (MAX_LAST_OUTPUT + MAX_WAITING_OUTPUT)) / MAX_OUTPUT_TEXT

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** Starts a script with a link to core. @param reads - false for a core that is busy */
async function start(reads = true) {
  const [down, up] = [new PassThrough(), new PassThrough()]
  const relay = {
    kill: vi.fn<(error?: Error) => void>(),
    ask() {},
    turned: vi.fn<(onTurned: () => void) => void>(),
    createTime: countTurns,
  }
  const closed = vi.fn<(fault?: Error) => void>(() => scripts.pipeClosed())
  const scripts: ProcessScripts = new ProcessScripts(new StreamMultiplexer(up, down, { closed }), relay)
  const { port1, port2 } = new MessageChannel()
  scripts.connect(port2)
  ends.push(() => scripts.close())
  const send = (command: MemberCommand, id = 1): void => port1.postMessage([id, command])
  const data = { name: 'it', start: {}, heartbeat: undefined, maxRunMs: 1000 }
  const startScript = (id: number): void => send({ type: 'start', data, activity: new SharedArrayBuffer(12) }, id)
  startScript(1)
  const [core, frontend] = createLinkEndpoints('ring')
  if (reads) openLink(core, true).receive({ frame() {}, closed() {} })
  send({ type: 'message', message: { type: 'link', link: frontend, scripts: [] } })
  const opened = vi.fn<() => void>()
  const process = new StreamMultiplexer(down, up, { opened, closed() {} })
  await expect.poll(() => opened.mock.calls.length).toBeGreaterThan(0)
  const ids = getMemberStreams(1)
  return {
    control: process.open(ids.control),
    link: process.open(ids.link),
    scripts,
    relay,
    closed,
    up,
    port1,
    send,
    startScript,
  }
}

test('a process that is killed within a frame violates no protocol', () =>
  rows(['control', 'link'] as const)(async name => {
    const { relay, closed, scripts, up, ...streams } = await start()
    // The header of a frame of 100 bytes.
    streams[name].write(Buffer.from([100, 0, 0, 0, 1]))
    await new Promise(setImmediate)
    up.end()
    await expect.poll(() => closed.mock.calls).toEqual([[undefined]])
    await scripts.forwarded()
    expect(relay.kill).not.toHaveBeenCalled()
  }))

test('a script that breaks the protocol of a member ends its process', () =>
  rows([
    ['{'],
    ['{"type":"thread-failed","error":{}}'],
    ['{"type":"exited","code":7}'],
    ['{"type":"message","message":{"type":"output"}}'],
    ['{"type":"exited","code":0}', '{"type":"message","message":{"type":"unsent","count":1}}'],
  ])(async (...bodies) => {
    const { relay, control } = await start()
    const process = new StreamLink(control)
    for (const body of bodies) process.send({ kind: FRAME_KIND.json, body })
    await expect
      .poll(() => relay.kill.mock.calls.map(([error]) => error?.message))
      .toEqual(['The process of it sent an invalid report'])
  }))

test('a script prints as much as its host reads, and ends its process by more than it keeps of a stream', async () => {
  const { relay, control, port1, send } = await start()
  const process = new StreamLink(control)
  let [arrived, asked] = [0, 0]
  port1.on('message', (sent: unknown[]) => (arrived += sent.length / 2))
  process.receive({ frame: ({ body }) => (asked += getText(body).includes('"read"') ? 1 : 0), closed() {} })
  const print = (stream: 'stdout' | 'stderr', count: number): void => {
    const message = { type: 'output', stream, text: '', lost: 0 }
    const body = JSON.stringify({ type: 'message', message })
    for (let n = 0; n < count; n++) process.send({ kind: FRAME_KIND.json, body })
  }
  const printAll = async (): Promise<void> => {
    const before = arrived
    for (const stream of ['stdout', 'stderr'] as const) print(stream, MAX_UNREAD_TEXTS)
    await expect.poll(() => arrived - before + relay.kill.mock.calls.length).toBe(2 * MAX_UNREAD_TEXTS)
    expect(relay.kill).not.toHaveBeenCalled()
  }
  await printAll()
  for (const stream of ['stdout', 'stderr'] as const)
    for (let n = 0; n < MAX_UNREAD_TEXTS; n++) send({ type: 'message', message: { type: 'read', stream } })
  await expect.poll(() => asked).toBe(2 * MAX_UNREAD_TEXTS)
  await printAll()
  print('stderr', 1)
  await expect
    .poll(() => relay.kill.mock.calls.map(([error]) => error?.message))
    .toEqual(['The process of it sent more output than it keeps'])
})

test('a script that is terminated while core reads nothing ends, and is taken for stopped', async () => {
  const { control, port1, send } = await start()
  const process = new StreamLink(control)
  send({ type: 'terminate' })
  expect((await once(port1, 'message'))[0]).toEqual([1, { type: 'terminating' }])
  process.send({ kind: FRAME_KIND.json, body: JSON.stringify({ type: 'exited', code: 1 }) })
  expect((await once(port1, 'message'))[0]).toEqual([
    1,
    { type: 'message', message: { type: 'state', state: 'stopped', isUnanswered: true } },
    1,
    { type: 'exited', code: 1 },
  ])
})

test('what a script has sent in time, and core does not take until the host ends it, is lost: its end says so', () =>
  rows([
    ['once it has exited', true],
    ['before it has exited', false],
  ])(async (_when, exitsFirst) => {
    const { control, link, port1, send } = await start(false)
    send({ type: 'message', message: { type: 'stop', timeout: 0 } })
    const frames = new StreamLink(link)
    for (let count = 0; count < 40; count++) frames.send({ kind: FRAME_KIND.json, body: 'x'.repeat(100_000) })
    const process = new StreamLink(control)
    const messages: unknown[] = []
    port1.on('message', (sent: { type?: string }[]) => {
      for (const [at, each] of sent.entries()) if (at % 2 === 1 && each.type !== 'terminating') messages.push(each)
    })
    const report = (content: object): void => process.send({ kind: FRAME_KIND.json, body: JSON.stringify(content) })
    report({ type: 'message', message: { type: 'state', state: 'stopped' } })
    await expect.poll(() => messages.length).toBe(1)
    if (!exitsFirst) send({ type: 'terminate' })
    report({ type: 'exited', code: 0 })
    if (exitsFirst) await new Promise(setImmediate)
    expect(messages).toHaveLength(1)
    if (exitsFirst) send({ type: 'terminate' })
    await expect.poll(() => messages.at(-1)).toMatchObject({ type: 'exited', code: 0 })
    expect(messages).toMatchObject([
      { message: { state: 'stopped' } },
      { message: { state: 'failed', error: { reason: 'Timeout', unsent: 'unknown' } } },
      { type: 'exited' },
    ])
  }))

test('a script that has exited says so although its process ends with its last frame', async () => {
  const { control, scripts, up, port1 } = await start()
  new StreamLink(control).send({ kind: FRAME_KIND.json, body: JSON.stringify({ type: 'exited', code: 0 }) })
  await new Promise(setImmediate)
  const told = once(port1, 'message')
  up.end()
  await scripts.forwarded()
  scripts.close()
  expect((await told)[0]).toEqual([1, { type: 'exited', code: 0 }])
})

test('a script is waited for as long as something comes, also if its process has turned', async () => {
  const { relay, control, port1, send, startScript } = await start()
  startScript(2)
  const link = new StreamLink(control)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const pass = async (ms: number): Promise<void> => {
    await new Promise(setImmediate)
    await vi.advanceTimersByTimeAsync(ms)
    await new Promise(setImmediate)
  }
  try {
    send({ type: 'terminate' })
    await once(port1, 'message')
    relay.turned.mock.calls.at(-1)![0]()
    for (let n = 0; n < 4; n++) {
      link.send({ kind: FRAME_KIND.json, body: '{"type":"terminating"}' })
      await pass(200)
    }
    expect(relay.kill).not.toHaveBeenCalled()
    await pass(400)
    await pass(400)
    expect(relay.kill).toHaveBeenCalledTimes(1)
  } finally {
    vi.useRealTimers()
  }
})

test('a process that runs on is killed once all of its scripts are ended by force, which have ended as they were told', async () => {
  const { relay, scripts, up, port1, send, startScript } = await start()
  startScript(2)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const terminate = async (id: number): Promise<void> => {
      send({ type: 'terminate' }, id)
      await once(port1, 'message')
      await vi.advanceTimersByTimeAsync(999)
      await new Promise(setImmediate)
    }
    await terminate(1)
    expect(relay.kill).not.toHaveBeenCalled()
    await terminate(2)
    const told = relay.kill.mock.calls.map(([error]) => error?.message)
    expect(told).toEqual([expect.stringContaining('did not end, and its process was terminated')])
  } finally {
    vi.useRealTimers()
  }
  const told = once(port1, 'message')
  up.end()
  await scripts.forwarded()
  scripts.close()
  const stopped = { type: 'message', message: { type: 'state', state: 'stopped', isUnanswered: true } }
  const exited = { type: 'exited', code: 1 }
  expect((await told)[0]).toEqual([1, stopped, 1, exited, 2, stopped, 2, exited])
})
