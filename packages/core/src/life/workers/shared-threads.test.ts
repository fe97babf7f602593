import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { type MessagePort, Worker } from 'node:worker_threads'
import type { MemberPort } from '@sallyport/protocol/internal/contract'
import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { NeighborFault } from '../judge.js'
import { SharedThreads, type ThreadGroup, type ThreadMember } from './shared-threads.js'

/** A thread whose members do what their messages say. */
const program = `
  const { parentPort } = require('node:worker_threads')
  void import(${JSON.stringify(import.meta.resolve('@sallyport/protocol/internal/contract'))}).then(({ serveMembers }) =>
    serveMembers(parentPort, (host, data) => {
      if (data === 'broken') throw new Error('cannot start')
      if (data === 'rejects') return Promise.reject(new Error('cannot start'))
      const actions = {
        echo: value => host.postMessage(value),
        exit: code => { host.postMessage('last'); host.exit(code) },
        crash: message => { host.postMessage('last'); setImmediate(() => { throw new Error(message) }) },
        spin: () => { for (;;); },
        rest: () => host.setBusy(false),
        compute: () => { host.setBusy(true); for (;;); },
        exitThread: () => process.exit(),
        exhaust: () => { for (const all = []; ; ) all.push(Array.from({ length: 1000 }, Object)) },
        throw: message => { throw new Error(message) },
        nest: levels => { let value; while (levels-- > 0) value = [value]; host.postMessage('before'); host.postMessage(value) },
        ignore: () => host.onTerminate(() => host.postMessage('ignored')),
        count: word => host.onTerminate(() => { Atomics.add(word, 0, 1); Atomics.notify(word, 0); host.exit(1) }),
      }
      host.onMessage(([name, value]) => actions[name](value))
      host.postMessage('started')
    }),
  )
`

const threads = new SharedThreads()
const workers: Worker[] = []
afterEach(() => Promise.all(workers.splice(0).map(worker => worker.terminate())))

/** A busy machine can take any time to let a thread confirm. */
const group = (size = 1, name = 'group', confirmTimeout = 60_000): ThreadGroup => ({
  ...{ name, size, confirmTimeout },
  spawn() {
    const worker = new Worker(program, {
      eval: true,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    })
    workers.push(worker)
    return worker
  },
})

interface Watched {
  member: ThreadMember
  messages: unknown[]
  errors: string[]
  exited: Promise<number>
}

function open(name: string, { data, from = group() }: { data?: string; from?: ThreadGroup } = {}): Watched {
  const member = threads.open(from, name, data)
  const messages: unknown[] = []
  const errors: string[] = []
  member.on('message', message => messages.push(message))
  member.on('error', (error: Error) => errors.push(error.message))
  return { member, messages, errors, exited: new Promise(resolve => member.once('exit', resolve)) }
}

async function started(...all: Watched[]): Promise<void> {
  await expect.poll(() => all.map(({ messages }) => messages[0])).toEqual(all.map(() => 'started'))
}

async function expectAnswer({ member, messages }: Watched): Promise<void> {
  member.postMessage(['echo', 'answer'])
  await expect.poll(() => messages.at(-1)).toBe('answer')
}

test('members share as many threads as the group has, evenly', async () => {
  const from = group(2)
  await started(...['a', 'b', 'c', 'd'].map(name => open(name, { from })))
  expect(workers).toHaveLength(2)
})

test('a thread has no more members than its group lets it', async () => {
  const from = { ...group(), maxMembers: 2 }
  await started(...['a', 'b', 'c'].map(name => open(name, { from })))
  expect(workers).toHaveLength(2)
})

test('groups share no thread', async () => {
  await started(open('a'), open('b', { from: group(1, 'other') }))
  expect(workers).toHaveLength(2)
})

test('a member exits with its code after its last message, and the others go on', async () => {
  const [first, second] = [open('first'), open('second')]
  await started(first, second)
  first.member.postMessage(['exit', 7])
  expect(await first.exited).toBe(7)
  expect(first.messages).toEqual(['started', 'last'])
  expect(first.errors).toEqual([])
  await expectAnswer(second)
})

test('the last member exits with its code after its thread has ended', async () => {
  const only = open('only')
  await started(only)
  only.member.postMessage(['exit', 7])
  expect(await only.exited).toBe(7)
  expect(workers[0]!.threadId).toBe(-1)
})

test('a kept thread starts before its first member, serves one after the other, and ends with the host', async () => {
  const own = new SharedThreads()
  const from = { ...group(), isKept: true }
  own.prepare(from)
  own.prepare(from)
  expect(workers).toHaveLength(1)
  for (const code of [3, 0]) {
    const member = own.open(from, 'member', undefined)
    const exited = new Promise(resolve => member.once('exit', resolve))
    member.postMessage(['exit', code])
    expect(await exited).toBe(code)
  }
  expect(workers.map(({ threadId }) => threadId)).not.toContain(-1)
  await own.close()
  expect(workers.map(({ threadId }) => threadId)).toEqual([-1])
  own.prepare(from)
  expect(workers).toHaveLength(1)
})

test('a thread keeps the process alive while one of its members does', () => {
  const [first, second] = [open('first'), open('second')]
  const [ref, unref] = [vi.spyOn(workers[0]!, 'ref'), vi.spyOn(workers[0]!, 'unref')]
  first.member.unref()
  expect([ref, unref].map(({ mock }) => mock.calls.length)).toEqual([1, 0])
  second.member.unref()
  expect([ref, unref].map(({ mock }) => mock.calls.length)).toEqual([1, 1])
})

test('a kept thread without members does not keep the process alive', async () => {
  const text = `
    import { Worker } from 'node:worker_threads'
    import { SharedThreads } from ${JSON.stringify(new URL('../../../dist/life/workers/shared-threads.js', import.meta.url).href)}
    const spawn = () => new Worker('setInterval(() => {}, 1000)', { eval: true })
    new SharedThreads().prepare({ name: 'kept', size: 1, isKept: true, spawn })
  `
  const [code] = (await once(spawn(process.execPath, ['--input-type=module', '-e', text]), 'exit')) as [number]
  expect(code).toBe(0)
})

test('a terminated member exits, and the others go on', async () => {
  const [first, second] = [open('first'), open('second')]
  await started(first, second)
  await first.member.terminate()
  expect(await first.exited).toBe(1)
  await expectAnswer(second)
  expect(second.errors).toEqual([])
})

test('a member that cannot start fails alone', () =>
  rows(['broken', 'rejects'])(async data => {
    const other = open('other')
    const failing = open('failing', { data })
    expect(await failing.exited).toBe(1)
    expect(failing.errors).toEqual(['cannot start'])
    await expectAnswer(other)
  }))

test('a member fails alone if its report cannot be posted, or if it cannot handle a message', () =>
  rows([
    [['nest', 60_000], 'Maximum call stack size exceeded'],
    [['echo', new Error('x')], undefined],
    [['throw', 'broken'], 'broken'],
  ] as const)(async (message, error) => {
    const [first, second] = [open('first'), open('second')]
    await started(first, second)
    second.member.postMessage(['echo', 'earlier'])
    first.member.postMessage(message)
    second.member.postMessage(['echo', 'later'])
    if (error !== undefined) {
      expect(await first.exited).toBe(1)
      expect(first.errors).toEqual([error])
    }
    await expect.poll(() => second.messages).toEqual(['started', 'earlier', 'later'])
    expect(second.errors).toEqual([])
    await Promise.all(workers.splice(0).map(worker => worker.terminate()))
  }))

test('the end of a thread is the fault of none of its members', () =>
  rows([
    ['it sends what the host cannot read', ['nest', 4000]],
    ['it runs out of memory', ['exhaust']],
    ['it exits', ['exitThread']],
    ['it throws', ['crash', 'broken']],
  ] as const)(async (_what, message) => {
    const [first, second] = [open('first'), open('second')]
    await started(first, second)
    const faults: unknown[] = []
    for (const { member } of [first, second]) member.on('error', fault => faults.push(fault))
    first.member.postMessage(message)
    await Promise.all([first.exited, second.exited])
    expect(faults).toEqual([expect.any(NeighborFault), expect.any(NeighborFault)])
  }))

test('an uncaught error of the thread fails all members, after their last messages', async () => {
  const [first, second] = [open('first'), open('second')]
  await started(first, second)
  first.member.postMessage(['crash', 'broken'])
  expect(await Promise.all([first.exited, second.exited])).toEqual([1, 1])
  expect(first.messages).toEqual(['started', 'last'])
  const text = (name: string) => [`broken. The thread that ${name} shared was terminated`]
  expect([first.errors, second.errors]).toEqual([text('first'), text('second')])
})

/** A thread whose reports are those of the test. */
function createDouble(name: string) {
  let port!: MessagePort
  const worker = Object.assign(new EventEmitter(), {
    ref() {},
    unref() {},
    terminate: async () => 0,
    postMessage: (message: MemberPort) => void (port = message.port),
  })
  const from = { name, size: 1, spawn: () => worker as unknown as Worker }
  const send = ({ member }: Watched, ...reports: object[]): void =>
    port.postMessage(reports.flatMap(report => [member.id, report]))
  const end = (): void => {
    worker.emit('exit', 1)
    port.close()
  }
  return { worker, from, send, end }
}

test('what a thread has sent before its end comes first, and a member fails and exits once, and sends nothing later', () =>
  rows([
    ['it exits', 'exit', 0],
    ['it fails', 'error', new Error('broken')],
  ])(async (_how, event, value) => {
    const { worker, from, send, end } = createDouble(`ends by ${event}`)
    const only = open('only', { from })
    const exits = vi.fn<(code: number) => void>()
    only.member.on('exit', exits)
    const failures = ['first', 'second'].map(message => ({ type: 'error', error: { message } }))
    const late = [
      { type: 'message', message: 'late' },
      { type: 'exited', code: 4 },
    ]
    send(only, { type: 'message', message: 'last' }, ...failures, { type: 'exited', code: 3 }, ...late)
    // The port is not read before the event loop turns.
    worker.emit(event, value)
    expect([only.messages, only.errors]).toEqual([['last'], ['first']])
    end()
    await only.exited
    expect(exits.mock.calls).toEqual([[3]])
  }))

test('a thread that says why it fails has this reason for all of its members', async () => {
  const { from, send, end } = createDouble('fails')
  const members = [open('first', { from }), open('second', { from })]
  const faults: unknown[] = []
  for (const { member } of members) member.on('error', fault => faults.push(fault))
  send(members[0]!, { type: 'thread-failed', error: { message: 'no room', reason: 'Overloaded', limit: undefined } })
  await expect.poll(() => faults).toHaveLength(2)
  expect(faults).toEqual(Array(2).fill(expect.any(NeighborFault)))
  expect(faults).toMatchObject(Array(2).fill({ reason: 'Overloaded' }))
  end()
})

test('an uncaught error of the thread is the own fault of its only member', async () => {
  const only = open('only')
  await started(only)
  const fault = once(only.member, 'error')
  only.member.postMessage(['crash', 'broken'])
  expect((await fault)[0]).not.toBeInstanceOf(NeighborFault)
  expect(only.errors).toEqual(['broken'])
})

test('a member that blocks the thread when it is terminated ends it', async () => {
  const from = group(1, 'blocked', 250)
  const [first, second] = [open('first', { from }), open('second', { from })]
  await started(first, second)
  first.member.postMessage(['spin'])
  await first.member.terminate()
  expect(await second.exited).toBe(1)
  expect(first.errors).toEqual([])
  expect(second.errors).toEqual(['A thread did not respond. The thread that second shared was terminated'])
})

test('a thread that several share says whose code it runs, and a process that it does not know', async () => {
  const [first, second] = [open('first'), open('second')]
  await started(first, second)
  expect(first.member.runs, 'members with loops of their own').toBeUndefined()
  second.member.postMessage(['rest'])
  await expect.poll(() => first.member.runs).toBe('unknown')
  second.member.postMessage(['compute'])
  await expect.poll(() => first.member.runs).toBe('second')
  const own = new Error('first blocked its event loop')
  expect(first.member.explainBlock(own).message).toMatch(/^second blocked/)
  expect(second.member.explainBlock(own)).toBe(own)
  const relay = open('relay', { from: group(1, 'relays') }).member
  // The program above is no relay, and ends at once.
  const [script] = ['script', 'other'].map(name => threads.openIn(relay, name, undefined).on('error', () => {}))
  expect(script!.runs).toBe('unknown')
  expect(script!.explainBlock(own).message).toMatch(/^script shared a process that did not respond/)
})

test('a host that was busy when the thread has confirmed does not take it for blocked', async () => {
  const from = group(1, 'busy', 50)
  const [first, second] = [open('first', { from }), open('second', { from })]
  await started(first, second)
  const confirmed = new Int32Array(new SharedArrayBuffer(4))
  first.member.postMessage(['count', confirmed])
  // The event loop runs timers next, before it reads.
  await new Promise(setImmediate)
  const ended = first.member.terminate()
  Atomics.wait(confirmed, 0, 0)
  Atomics.wait(confirmed, 0, 1, 100)
  await ended
  await expectAnswer(second)
  expect(second.errors).toEqual([])
})

test('no member is added to a thread in which another does not end', async () => {
  const from = group(1, 'blocked', 250)
  const first = open('first', { from })
  await started(first)
  first.member.postMessage(['spin'])
  const ended = first.member.terminate()
  const second = open('second', { from })
  await started(second)
  await ended
  await expectAnswer(second)
})

test('a member that takes long to end keeps its thread, whose others go on', async () => {
  const [first, second] = [open('first'), open('second')]
  await started(first, second)
  first.member.postMessage(['ignore'])
  void first.member.terminate()
  await expect.poll(() => first.messages.at(-1)).toBe('ignored')
  await expectAnswer(second)
  first.member.failThread(new Error('it was ended'))
  await Promise.all([first.exited, second.exited])
  expect([first.errors, second.errors]).toEqual([[], ['it was ended. The thread that second shared was terminated']])
})

test('of hooks that can both be the one that hangs, none is blamed alone', async () => {
  const [first, second, third] = [open('first'), open('second'), open('third')]
  await started(first, second, third)
  second.member.isInHook = () => true
  third.member.isInHook = () => false
  first.member.failThread(new Error('it was ended'))
  await Promise.all([first.exited, second.exited, third.exited])
  const unknown = 'shared a thread that did not respond. It is unknown which of them blocked it'
  expect([first.errors, second.errors]).toEqual([[`first ${unknown}`], [`second ${unknown}`]])
  expect(third.errors).toEqual(['A thread did not respond. The thread that third shared was terminated'])
})

test('a member waits for the code of another only until its thread has failed', async () => {
  const [busy, idle] = [open('busy'), open('idle')]
  await started(busy, idle)
  idle.member.postMessage(['rest'])
  await expect.poll(() => idle.member.isHeld).toBe(true)
  busy.member.failThread(new Error('it was ended'))
  expect(idle.member.isHeld).toBe(false)
  await Promise.all([busy.exited, idle.exited])
})

test('a member that starts later starts with its first message, or with its end', async () => {
  const from: ThreadGroup = { ...group(1, 'later'), startsLater: true }
  const other = open('other', { from })
  other.member.postMessage(['echo', 1])
  await expect.poll(() => other.messages).toEqual(['started', 1])
  const late = open('late', { from })
  const ended = open('ended', { from })
  await ended.member.terminate()
  expect(await ended.exited).toBe(1)
  expect(late.messages).toEqual([])
  late.member.postMessage(['echo', 2])
  late.member.postMessage(['exit', 0])
  expect(await late.exited).toBe(0)
  expect(late.messages).toEqual(['started', 2, 'last'])
})

test('a member that starts later, with data that cannot be cloned, fails alone', async () => {
  const from: ThreadGroup = { ...group(1, 'later'), startsLater: true }
  const other = open('other', { from })
  const broken = open('broken', { from, data: (() => {}) as unknown as string })
  broken.member.postMessage(['echo', 1])
  expect(await broken.exited).toBe(1)
  expect(broken.errors).toEqual([expect.stringContaining('could not be cloned')])
  other.member.postMessage(['echo', 1])
  await expect.poll(() => other.messages).toEqual(['started', 1])
})
