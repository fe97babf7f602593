// Channels of older releases of @tauri-apps/api, which number messages by `id` and know no end, in a worker.
import { afterEach, describe, expect, test } from 'vitest'
import type { Bus } from '../../src/index.js'
import { choose } from '../../../../scripts/testing.js'
import { patterns, startBus } from './environments.js'

let bus: Bus
afterEach(() => bus.close({ timeout: 0 }))

const frontend = (release: string): string => `
  import '${import.meta.resolve('@sallyport/frontend/tauri')}'
  import { expose } from '${import.meta.resolve('@sallyport/frontend')}'
  import { Channel, invoke } from '${import.meta.resolve(`tauri-api-${release}/core`)}'

  expose({
    count: async ({ to }) => {
      const received = []
      const channel = new Channel()
      channel.onmessage = message => received.push(message)
      await invoke('count', { to, channel, end: true })
      return received
    },
  })`

const cases = ['2.0', '2.4'].flatMap(release => patterns.map(([pattern, app]) => [release, pattern, app] as const))

describe.each(choose(cases, 1))('@tauri-apps/api %s, %s', (release, _pattern, app) => {
  test('messages arrive in order, and the end without an error', async () => {
    bus = await startBus(app)
    await bus.open('main', { source: frontend(release), directory: new URL('.', import.meta.url) })
    expect(await bus.call('main', 'count', { to: 100 })).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(await bus.call('main', 'count', { to: 2 })).toEqual([0, 1])
  })
})
