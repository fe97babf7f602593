// Frontends do not have the weaknesses of Tauri that the groups name. Those of calls are in weaknesses-of-calls.test.ts.
import { describe, expect, test } from 'vitest'
import type { Bus, Client } from '../../../src/index.js'
import { fixture, start } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const core = fixture('features.mjs')

async function connectBoth(): Promise<{ bus: Bus; victim: Client; attacker: Client }> {
  const commands = ['allow-count', 'allow-panics', 'allow-ends-itself', 'core:path:default']
  const permissions = ['files:allow-open', 'files:allow-name-of', ...commands]
  const capabilities = [{ identifier: 'all', windows: ['*'], permissions }]
  const bus = await start({ core, capabilities })
  return { bus, victim: await bus.connect('victim'), attacker: await bus.connect('attacker') }
}

describe('Tauri: unlisten removes any listener, also of other frontends', () => {
  test('a listener cannot be removed by another frontend', async () => {
    const { bus, victim, attacker } = await connectBoth()
    const received: unknown[] = []
    await victim.listen('news', ({ payload }) => void received.push(payload))
    for (let eventId = 0; eventId < 50; eventId++) {
      await attacker.invoke('plugin:event|unlisten', { event: 'news', eventId })
    }
    await bus.emit('news', 1)
    await expect.poll(() => received).toEqual([1])
  })
})

describe('Tauri: a listener can use the target of another window', () => {
  test('an event to one frontend cannot be received by another', async () => {
    const { bus, victim, attacker } = await connectBoth()
    const overheard: unknown[] = []
    const received: unknown[] = []
    const targets = [
      undefined,
      'victim',
      { kind: 'Any' as const },
      { kind: 'App' as const },
      ...(['Window', 'Webview', 'WebviewWindow', 'AnyLabel'] as const).map(kind => ({ kind, label: 'victim' })),
    ]
    for (const target of targets) {
      await attacker.listen(
        'secret',
        ({ payload }) => void overheard.push(payload),
        target === undefined ? {} : { target },
      )
    }
    await victim.listen('secret', ({ payload }) => void received.push(payload))
    await bus.emitTo('victim', 'secret', 'for the victim')
    await bus.emitTo({ kind: 'WebviewWindow', label: 'victim' }, 'secret', 'again')
    await expect.poll(() => received).toEqual(['for the victim', 'again'])
    await attacker.invoke('count')
    expect(overheard).toEqual([])
  })
})

describe('Tauri: webviews of a window share a table of resources, and windows share that of the app', () => {
  test('a resource of another frontend can be neither used nor closed', async () => {
    const { victim, attacker } = await connectBoth()
    const rid = await victim.invoke<number>('plugin:files|open', { name: 'private' })
    for (const command of ['plugin:resources|close', 'plugin:files|name_of']) {
      await expect(attacker.invoke(command, { rid })).rejects.toMatchObject({
        message: `The resource id ${rid} is invalid.`,
      })
    }
    expect(await victim.invoke('plugin:files|name_of', { rid })).toBe('private')
  })
})

describe('Tauri: the promise of a command that panics never settles', () => {
  test('a command that fails without an error settles', () =>
    rows(['panics', 'ends_itself'])(async name => {
      const { victim } = await connectBoth()
      await expect(victim.invoke(name)).rejects.toMatchObject({ reason: 'CommandFailed', data: null })
      expect(await victim.invoke('count')).toBe(1)
    }))

  test('a call that cannot be served settles', () =>
    rows([
      ['no such command', 'nope', 'MethodNotFound'],
      ['no such plugin', 'plugin:nope|x', 'MethodNotFound'],
      ['nothing without a GUI', 'plugin:window|set_title', 'MethodNotFound'],
      ['not allowed', 'plugin:files|missing_argument', 'Denied'],
      ['malformed', 'plugin:path|join', 'InvalidParams'],
    ])(async (_name, command, reason) => {
      const { victim } = await connectBoth()
      await expect(victim.invoke(command)).rejects.toMatchObject({ reason })
    }))
})

describe('Tauri: any webview can emit events of Tauri itself', () => {
  test('a frontend cannot emit the end of another frontend', async () => {
    const { victim, attacker } = await connectBoth()
    const received: unknown[] = []
    await victim.listen('tauri://destroyed', ({ payload }) => void received.push(payload))
    await attacker.emit('tauri://destroyed', { label: 'victim' })
    await attacker.emitTo('victim', 'tauri://destroyed', { label: 'victim' })
    await attacker.invoke('count')
    await victim.invoke('count')
    expect(received).toEqual([])
  })
})
