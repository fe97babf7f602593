// Unchanged isolation apps (in test/fixtures/), each in its own locked thread under Node's permission model. The threads import dist,
// which the test task builds.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'

const fixture = (name: string): URL => new URL(`../../test/fixtures/${name}`, import.meta.url)
const app = (name: string): URL => fixture(`dist-isolation-${name}/`)

const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission'
const workspace = fileURLToPath(new URL('../../../../', import.meta.url))

interface RunOptions {
  messages?: unknown[]
  legacyMessages?: boolean
  answer?: (text: string) => boolean
}

type RunResult = { verdicts: Record<string, any>[]; logs: string[] } & { failed: string; reason: string }

async function run(dir: URL, { messages = [], legacyMessages = false, answer }: RunOptions): Promise<RunResult> {
  const { port1, port2 } = new MessageChannel()
  const memory = new SharedArrayBuffer(4)
  const worker = new Worker(fixture('app-thread.mjs'), {
    workerData: {
      dir: dir.href,
      messages,
      legacyMessages,
      ...(answer && { confirmPort: port2, confirmMemory: memory }),
    },
    transferList: answer ? [port2] : [],
    execArgv: [permission, `--allow-fs-read=${workspace}*`, '--no-warnings'],
    env: {},
  })
  // The host's part of `confirm`.
  port1.on('message', ({ text }: { text: string }) => {
    const counter = new Int32Array(memory)
    Atomics.store(counter, 0, answer?.(text) ? 2 : 1)
    Atomics.notify(counter, 0)
  })
  try {
    return ((await once(worker, 'message')) as [RunResult])[0]
  } finally {
    port1.close()
    await worker.terminate()
  }
}

const message = (cmd: string, payload: unknown = {}): object => ({
  cmd,
  callback: 1,
  error: 2,
  payload,
  options: undefined,
})
const outcomes = ({ verdicts }: RunResult): unknown[] => verdicts.map(verdict => verdict['why'] ?? verdict['kind'])

test('a hook can log and pass messages', async () => {
  const answer = await run(app('log'), { messages: [message('greet', { name: 'World' })] })
  expect(answer.verdicts).toMatchObject([{ kind: 'pass', message: { cmd: 'greet', payload: { name: 'World' } } }])
  expect(answer.logs).toEqual([
    `info: hook { cmd: 'greet', callback: 1, error: 2, payload: { name: 'World' }, options: undefined }`,
  ])
})

test('inline and external scripts run in order and share their top-level names', async () => {
  const { verdicts } = await run(app('several'), { messages: [message('greet')] })
  expect(verdicts[0]?.['message'].payload).toEqual({
    trace: ['inline 1', 'first', 'inline 2', 'last'],
    first: true,
    implicit: 'a global',
    self: true,
  })
})

test('a hook can be asynchronous', async () => {
  const answer = await run(app('async'), {
    messages: [message('greet', { name: 'a' }), message('greet', { name: 'unknown' })],
  })
  expect(answer.verdicts).toMatchObject([{ message: { payload: { name: 'A' } } }, { kind: 'reject', why: 'threw' }])
})

describe('a hook of the older format, with legacyMessages: true', () => {
  test('can allow commands and block paths', async () => {
    const answer = await run(app('allow-list'), {
      legacyMessages: true,
      messages: [
        message('greet', { name: 'World' }),
        message('read_config', { path: '/home/config' }),
        message('read_config', { path: '/etc/passwd' }),
        message('deleteItem', { cmd: 'greet', args: {} }),
        message('plugin:event|emit', { event: 'frontend-event', payload: { data: 'value' } }),
        message('plugin:event|listen', { event: 'backend-event' }),
        message('read_config', { path: 1 }),
      ],
    })
    expect(outcomes(answer)).toEqual(['pass', 'pass', 'null', 'null', 'pass', 'null', 'threw'])
    expect(answer.logs).toEqual([
      'error: Blocked access to protected path: /etc/passwd',
      'warn: Blocked unknown command: deleteItem',
      'warn: Blocked unknown command: plugin:event|listen',
    ])
  })

  const guarded = [
    message('readFile', { path: '/allowed/directory/a.txt' }),
    message('readFile', { path: '/etc/passwd' }),
    message('deleteItem', { id: 1 }),
  ]

  test('can limit files to one directory, and ask the host with confirm', async () => {
    const questions: string[] = []
    const runWith = (answer: boolean): Promise<RunResult> =>
      run(app('read-file'), {
        legacyMessages: true,
        messages: guarded,
        answer: text => questions.push(text) > 0 && answer,
      })
    expect(outcomes(await runWith(true))).toEqual(['pass', 'null', 'pass'])
    expect(outcomes(await runWith(false))).toEqual(['pass', 'null', 'null'])
    expect(questions).toEqual(Array(2).fill('Are you sure you want to delete this item?'))
  })

  test('gets false from confirm when no host answers', async () => {
    expect(outcomes(await run(app('read-file'), { legacyMessages: true, messages: guarded }))).toEqual([
      'pass',
      'null',
      'null',
    ])
  })

  test('lets every message pass without legacyMessages', async () => {
    expect(outcomes(await run(app('read-file'), { messages: guarded }))).toEqual(['pass', 'pass', 'pass'])
  })
})

test('an app that sets no hook fails', async () => {
  const { failed, reason } = await run(fixture('dist-isolation-no-hook/'), {})
  expect(failed).toBe('Isolation app: index.js set no window.__TAURI_ISOLATION_HOOK__: it must be a function, or null')
  expect(reason).toBe('InvalidParams')
})

test('a locked thread can run actors, codecs, ciphers, ports and timers', async () => {
  const lines: string[] = []
  const worker = new Worker(fixture('locked-thread.mjs'))
  worker.on('message', (line: string) => lines.push(line))
  await once(worker, 'exit')
  expect(lines).toEqual(['xstate', 'codecs', 'crypto', 'ports', 'timers', 'errors'].map(name => `${name}: true`))
})
