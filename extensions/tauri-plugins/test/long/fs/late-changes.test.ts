import { createBus, defineCore } from '@sallyport/core'
import { mkdirSync, watch as watchDirectory } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fs } from '../../../src/fs/fs.js'
import type { WatchEvent } from '../../../src/fs/watching.js'
import { createPlace } from '../../fs/start.js'

const { dir } = createPlace()
/** More than the paths that a watcher keeps, and fewer than the events that the system keeps. */
const DIRECTORIES = 10_100

function createGate() {
  let open!: () => void
  const opened = new Promise<void>(resolve => (open = resolve))
  return { open, opened }
}

test(
  'a change is reported that comes while a watcher waits to ask its frontend to read again',
  { timeout: 180_000 },
  async () => {
    const [first, again] = [createGate(), createGate()]
    const events: WatchEvent[] = []
    const channel = {
      send(event: WatchEvent) {
        events.push(event)
        return event.type === 'other' ? again.opened : first.opened
      },
      end() {},
      signal: new AbortController().signal,
    }
    const plugin = fs()
    const commands = plugin.commands as unknown as Record<string, (args: object, ctx: object) => unknown>
    const { watch } = commands
    commands['watch'] = (args, ctx) => watch!({ ...args, onEvent: channel }, ctx)
    const bus = await createBus({ core: defineCore({ plugins: [plugin] }), log: false })
    onTestFinished(() => bus.close({ timeout: 0 }))
    const scope = { permission: 'fs:scope', allow: [dir, `${dir}/**`] }
    const client = await bus.connect('main', { allow: ['fs:read-all', scope] })
    await client.invoke('plugin:fs|watch', { paths: [dir], options: {}, onEvent: new client.Channel() } as never)
    // It sees each change after the other one.
    const seen = new Set<string>()
    const other = watchDirectory(dir, (_kind, name) => void seen.add(name!))
    onTestFinished(() => other.close())
    const make = async (name: string): Promise<void> => {
      mkdirSync(join(dir, name))
      await expect.poll(() => seen.has(name)).toBe(true)
    }
    for (let at = 0; at < DIRECTORIES; at++) mkdirSync(join(dir, `d${at}`))
    await make('end')
    first.open()
    await expect.poll(() => events.at(-1)?.type).toBe('other')
    await make('late')
    again.open()
    await expect.poll(() => events.at(-1)?.paths).toEqual([join(dir, 'late')])
  },
)
