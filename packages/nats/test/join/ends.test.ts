// A process that has joined and left ends by itself: nothing is left that would keep it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { hasServer } from '../server.js'
import { hook, useWorld } from './world.js'

const run = promisify(execFile)

describe.skipIf(!hasServer).each(['brownfield', 'isolation'] as const)('%s', pattern => {
  test('a process ends once it has closed what it joined', async () => {
    const world = await useWorld(pattern)
    await Promise.all([world.start('a'), world.start('b')])
    const options = {
      nats: { servers: world.server.url },
      bus: 'test',
      credentials: ['spread', 'sticky', 'worker'].map(label => world.credential(label)),
    }
    const script = fileURLToPath(new URL('fixtures/joined-process.mjs', import.meta.url))
    const dir = pattern === 'isolation' ? hook('judge').href : ''
    // Rejects where the exit code is not 0, or the process has to be killed.
    const { stdout } = await run(process.execPath, [script, JSON.stringify(options), dir], { timeout: 60_000 })
    expect(JSON.parse(stdout)).toEqual({ answers: [3, 3], worker: 3, left: [] })
  })
})
