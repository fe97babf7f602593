// Exits of core in every way that a thread can exit: each pending call settles once, and everything continues with the next core.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Worker, setEnvironmentData } from 'node:worker_threads'
import { choose, rows } from '../../../../../scripts/testing.js'
import type { Client } from '../../../src/index.js'
import { fixture, isolation, next } from '../../support/start.js'
import { settle, soon, takeClock } from '../../support/supervised.js'
import { checkGuarantee, watch, type Watched } from './guarantee.js'

const capability = {
  identifier: 'all',
  windows: ['*'],
  permissions: ['which', 'wait', 'fault'].map(name => `allow-${name}`),
}
const apps = { brownfield: {}, isolation: isolation('judge', {}, capability) }

/** How often each call ran, over all cores. */
const counts = new Int32Array(new SharedArrayBuffer(4096))
let nextCall = 0

const exits: [how: string, error: string][] = [
  ['exits with code 0', 'core exited unexpectedly'],
  ['exits with code 3', 'core exited with code 3'],
  ['throws in a timer', 'thrown'],
  ['throws null in a timer', 'null'],
  ['overflows its stack in a timer', 'Maximum call stack size exceeded'],
  ['leaves a rejection unhandled', 'unhandled'],
  ['exits between handler and reply', 'core exited with code 3'],
  ['closes its control port', 'core closed its port to the host'],
  ['closes all its ports', 'core closed its port to the host'],
  ['is terminated', 'core exited with code 1'],
]

describe.each(choose(['brownfield', 'isolation'] as const))('core, %s:', pattern => {
  let watched: Watched
  let clients: [Client, Client]
  const pongs: string[] = []
  const record = (who: string) => (event: { payload: unknown }) => void pongs.push(`${who} ${String(event.payload)}`)

  beforeAll(async () => {
    setEnvironmentData('faulty-core counts', counts)
    const frontends = { main: { module: fixture('supervision/waiting-frontend.mjs') } }
    const supervision = { ...soon, heartbeat: false } as const
    watched = await watch({ core: fixture('supervision/faulty-core.mjs'), frontends, ...apps[pattern], supervision })
    const { bus } = watched
    await next(bus, 'up')
    clients = [await bus.connect('one', { allow: '*' }), await bus.connect('two')]
    await Promise.all([
      bus.listen('pong', record('host')),
      ...clients.map(client => client.listen('pong', record(client.label))),
    ])
    await bus.addCapability({ identifier: 'no', windows: ['one'], permissions: ['core:app:deny-version'] })
  })

  afterAll(() => watched.close())

  test('settles each pending call once, and everything continues with the next core', () =>
    rows(exits)(async (kind, message) => {
      const { bus, events } = watched
      const [first, second] = clients
      const before = await first.invoke('which')
      expect(await bus.call('main', 'which')).toBe(before)
      events.length = 0
      pongs.length = 0
      const [waitCall, otherWait, faultCall, afterCall, askCall] = [
        nextCall++,
        nextCall++,
        nextCall++,
        nextCall++,
        nextCall++,
      ] as const
      await bus.call('main', 'ask', { n: askCall })

      const pending = {
        host: bus.call('main', 'wait'),
        other: second.invoke('wait', { n: otherWait }),
        // These three calls are one batch.
        wait: first.invoke('wait', { n: waitCall }),
        fault: first.invoke('fault', { kind, n: faultCall }),
        // This call is answered unless core exits immediately.
        after: first.invoke('which', { n: afterCall }),
      }
      if (kind === 'is terminated') await terminateCore(watched, faultCall)
      const served = await checkGuarantee(watched, {
        label: 'core',
        calls: pending,
        reasons: ['Disconnected', 'resolved'],
        serves: () => first.invoke('which'),
        events: [
          { name: 'fault', error: { message } },
          { name: 'restart', worker: 'core', error: { message } },
        ],
      })

      expect(served).not.toBe(before)
      for (const name of ['host', 'other', 'wait', 'fault'] as const) {
        await expect(pending[name], name).rejects.toMatchObject({ data: { delivered: 'unknown' } })
      }
      const once = expect.toBeOneOf([0, 1]) as number
      expect([...counts.subarray(waitCall, afterCall + 1)]).toEqual([1, once, 1, once])
      await expect.poll(() => bus.call('main', 'outcome', { n: askCall }).catch(() => {})).toBe('Disconnected, unknown')
      expect(await second.invoke('which')).toBe(served)
      expect(await bus.call('main', 'which')).toBe(served)
      await first.emit('ping', kind)
      await expect.poll(() => pongs.toSorted()).toEqual(['host', 'one', 'two'].map(who => `${who} ${kind}`))
      await expect(first.invoke('plugin:app|version')).rejects.toMatchObject({ reason: 'Denied' })
    }))
})

test('core that blocks forever is found by its heartbeat', async () => {
  takeClock('polls of heartbeats')
  const core = { module: fixture('supervision/faulty-core.mjs'), supervision: { ...soon, heartbeat: 60_000 } }
  const watched = await watch({ core, supervision: { ...soon, heartbeat: false } })
  const client = await watched.bus.connect('tests', { allow: '*' })
  const before = await client.invoke('which')
  const calls = {
    wait: client.invoke('wait', { n: 0 }),
    blocks: client.invoke('fault', { kind: 'blocks forever', n: 0 }),
  }
  calls.wait.catch(() => {})
  await settle(calls.blocks)
  const error = { message: 'core blocked its event loop for 60000 ms' }
  const served = await checkGuarantee(watched, {
    ...{ label: 'core', calls, serves: () => client.invoke('which') },
    events: [
      { name: 'fault', error },
      { name: 'restart', worker: 'core', error },
    ],
  })
  expect(served).not.toBe(before)
  await watched.close()
})

/** Finds core's worker and terminates it. */
async function terminateCore({ bus }: Watched, call: number): Promise<void> {
  await expect.poll(() => counts[call]).toBe(1)
  const post = vi.spyOn(Worker.prototype, 'postMessage')
  const connected = await bus.connect('three')
  const core =
    post.mock.contexts[post.mock.calls.findIndex(([message]) => (message as { type: string }).type === 'attach')]
  post.mockRestore()
  await connected.close()
  void (core as Worker).terminate()
}

// Core or a pool thread that runs out of heap exits like any other; buffers are outside the heap and end nothing.
describe('out of heap', () => {
  const host = fileURLToPath(fixture('supervision/memory-host.mjs'))
  const disconnected = { reason: 'Disconnected', data: { delivered: 'unknown' } }
  const outOfMemory = 'core ran out of memory'

  const coreRestarts = {
    fault: disconnected,
    others: disconnected,
    events: [
      ['fault', 'core', outOfMemory],
      ['restart', 'core', outOfMemory],
    ],
    sameCore: false,
  }
  const coreKeepsRunning = { others: 'wait', events: [], sameCore: true }
  const text = 'The pool\'s thread exited while it ran command "heavy": Worker terminated due to reaching memory limit'
  const threadExits = { reason: 'Crashed', message: expect.stringContaining(text) as string }

  const cases = choose(
    [
      ['brownfield', 'fault', 'uses up its heap', coreRestarts],
      ['brownfield', 'fault', 'keeps buffers beyond its heap', { ...coreKeepsRunning, fault: { value: 4 } }],
      ['brownfield', 'heavy', 'uses up its heap', { ...coreKeepsRunning, fault: threadExits }],
      ['isolation', 'fault', 'uses up its heap', coreRestarts],
      ['isolation', 'fault', 'keeps buffers beyond its heap', { ...coreKeepsRunning, fault: { value: 4 } }],
      ['isolation', 'heavy', 'uses up its heap', { ...coreKeepsRunning, fault: threadExits }],
    ] as const,
    3,
    4,
    5,
  )

  test('core that runs out of heap restarts, a thread of the pool ends its call, and buffers end nothing', () =>
    rows(cases)(async (pattern, command, kind, expected) => {
      const args = ['--max-old-space-size=64', host, pattern, command, kind]
      const { stdout } = await promisify(execFile)(process.execPath, args)
      expect(JSON.parse(stdout), kind).toMatchObject(expected)
    }))
})
