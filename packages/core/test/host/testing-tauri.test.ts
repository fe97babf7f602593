// @vitest-environment jsdom
// A Tauri frontend in a test with jsdom: the real `@tauri-apps/api`, capabilities and hook, with fakes for commands.
import { createTestBus, type TestBus } from '@sallyport/core/testing'
import { installTauri } from '@sallyport/frontend/tauri'
import { invoke, Channel } from '@tauri-apps/api/core'
import { emit, listen } from '@tauri-apps/api/event'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

let made: TestBus
let tauri: ReturnType<typeof installTauri>

beforeAll(async () => {
  made = await createTestBus({
    commands: {
      greet: ({ name }: { name: string }) => `Hello, ${name}!`,
      fails: () => Promise.reject(new Error('it broke')),
      count: async ({ onCount }: { onCount: { send(n: number): Promise<void>; end(): void } }) => {
        await onCount.send(1)
        onCount.end()
      },
      'plugin:fs|read_text_file': 'text',
      wipe: 'gone',
      weigh: (bytes: unknown) => Object.prototype.toString.call(bytes) + (bytes as Uint8Array).length,
      give: () => new Uint8Array([1, 2, 3]),
    },
    capabilities: [
      {
        identifier: 'main',
        windows: ['main'],
        permissions: [
          'allow-greet',
          'allow-fails',
          'allow-count',
          'allow-weigh',
          'allow-give',
          'fs:allow-read-text-file',
        ],
      },
    ],
    isolation: { dir: join(import.meta.dirname, '../fixtures/isolation/hooks/judge/') },
  })
  tauri = installTauri(made.client, window)
})

afterAll(async () => {
  tauri.uninstall()
  await made.close()
})

test('a page calls, listens and is denied, and the test sees the results', async () => {
  expect(document.createElement('p')).toBeInstanceOf(window.HTMLElement)
  expect(await invoke('greet', { name: 'World' })).toBe('Hello, World!')
  expect(await invoke('plugin:fs|read_text_file', { path: 'a' })).toBe('text')
  await expect(invoke('fails')).rejects.toBe('it broke')
  await expect(invoke('wipe')).rejects.toContain('not allowed by ACL')
  await expect(invoke('greet', { hook: 'null' })).rejects.toContain('rejected')
  const counted: number[] = []
  await invoke('count', { onCount: new Channel<number>(n => counted.push(n)) })
  await expect.poll(() => counted).toEqual([1])
  expect(await invoke('weigh', new Uint8Array(5))).toBe('[object Uint8Array]5')
  expect([...new Uint8Array(await invoke<ArrayBuffer>('give'))]).toEqual([1, 2, 3])
  const received = new Set<unknown>()
  await listen('news', ({ payload }) => received.add(payload))
  await made.bus.emit('news', 1)
  await emit('news', 2)
  await expect.poll(() => received).toEqual(new Set([1, 2]))
  expect(made.calls().map(({ command, status }) => `${command} ${status}`)).toEqual([
    'greet succeeded',
    'plugin:fs|read_text_file succeeded',
    'fails failed',
    'count succeeded',
    'weigh succeeded',
    'give succeeded',
  ])
})
