import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createPlace, startFs } from '../../fs/start.js'

interface Event {
  type: object | string
  paths: string[]
}

const { dir } = createPlace()

test.each([undefined, 100])(
  'a watcher reports 10,000 files that appear at once, or asks to read again; delay %s',
  async delayMs => {
    const { clients } = await startFs({
      main: ['fs:read-all', { permission: 'fs:scope', allow: [dir, `${dir}/**`] }],
    })
    const main = clients['main']!
    mkdirSync(join(dir, 'many'))
    const onEvent = new main.Channel<Event>()
    const reported = new Set<string>()
    let hasOverflowed = false
    await main.invoke('plugin:fs|watch', { paths: [dir], options: { delayMs, recursive: true }, onEvent } as never)
    void (async () => {
      for await (const { type, paths } of onEvent) {
        if (type === 'other') hasOverflowed = true
        for (const path of paths) reported.add(path)
      }
    })().catch(() => undefined)
    for (let at = 0; at < 10_000; at++) writeFileSync(join(dir, `many/${at}`), '')
    await expect.poll(() => hasOverflowed || reported.size >= 10_000).toBe(true)
  },
)
