// A host that is killed at any point of a save leaves the old or the new file.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// oxlint-disable-next-line sallyport/no-real-time -- the power is cut at a random time
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isMatrix } from '../../../../../scripts/testing.js'

const POINTS = isMatrix ? 100 : 10
const program = fileURLToPath(new URL('./fixtures/saving.mjs', import.meta.url))
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stores-'))
})
afterAll(() => rm(directory, { recursive: true }))

test(
  'a kill at a random point of a save leaves a whole file, not older than the last save',
  { timeout: 300_000 },
  async () => {
    for (let point = 0; point < POINTS; point++) {
      const child: ChildProcess = fork(program, [directory, String(point * 1_000_000 + 1)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      const exited = once(child, 'exit')
      let saved = 0
      child.on('message', version => (saved = version as number))
      await once(child, 'message')
      await sleep(Math.random() * 20)
      child.kill('SIGKILL')
      await exited
      const { state } = JSON.parse(await readFile(join(directory, 'stores', 'main', 'a.json'), 'utf8')) as {
        state: { version: number; text: string }
      }
      expect(state.version).toBeGreaterThanOrEqual(saved)
      expect(state.text).toBe(String(state.version % 10).repeat(500_000))
    }
  },
)
