// What code prints before it hangs: the last words before a hang are what a person needs.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import type { QuickjsSandbox } from '../../../src/life/sandboxes/quickjs.js'
import { getReason, KINDS, startMembers, TEMPORARY } from '../../support/members.js'
import { writeProject } from '../../support/project.js'
import { settle, takeClock } from '../../support/supervised.js'

const SOURCE = `
  import { expose } from '@sallyport/frontend'
  expose({
    async hang({ lines, length }) {
      await null
      for (let n = 0; n < lines; n++) console.log(String(n).padEnd(length - 1, '.'))
      console.error('over')
      for (;;);
    },
  })`
const TRUSTED = SOURCE.replace('@sallyport/frontend', KINDS[0]!.client)
/** A thread sends no more ahead. */
const WINDOW = 2 ** 18
const amounts = {
  nothing: { lines: 0, length: 1 },
  'a line': { lines: 1, length: 10 },
  '2000 lines': { lines: 2000, length: 10 },
  '10 MB': { lines: 1250, length: 8000 },
}
const permission = KINDS[0]!
const kinds = [{ ...permission, name: 'a trusted thread', place: 'none' as const }, ...KINDS]

test.each(kinds.map(kind => [kind.name, kind] as const))(
  'what it printed before it hung arrives, or is counted: %s',
  async (name, kind) => {
    const { place, options } = kind.loops
    takeClock('polls of heartbeats')
    await rows(amounts)(async ({ lines, length }, amount) => {
      const bus = await startMembers()
      const text = { stdout: '', stderr: '' }
      let lost = 0
      const onStdio = (printed: string, { stream }: { stream: 'stdout' | 'stderr' }): void => {
        const [, characters] = /^\nOutput lost: (\d+) characters/.exec(printed) ?? []
        if (characters === undefined) text[stream] += printed
        else lost += Number(characters)
      }
      const sandbox = place ? withUsualTime(kind.place as object) : kind.place
      const supervision = { ...options?.supervision, ...TEMPORARY.supervision }
      const code =
        sandbox === 'none' ? pathToFileURL(join(writeProject({ 'a.mjs': TRUSTED }), 'a.mjs')) : { source: SOURCE }
      await bus.open('a', code, { sandbox, supervision, onStdio, allow: '*' })
      const hanging = bus.call('a', 'hang', { lines, length }).catch(getReason)
      // A script ends by its limit of time, before what it says leaves its thread.
      if (!place) await expect.poll(() => text.stderr).toBe('over\n')
      await settle(hanging)
      expect(await hanging).toBe('Disconnected')
      const isThread = name.includes('thread')
      // What a pipe does not take at once waits in the process, and is lost with it.
      const isTold = text.stderr.includes('Further output might be lost')
      if (!isTold && text.stderr.startsWith('over\n')) expect(text.stdout.length + lost).toBe(lines * length)
      if (amount !== '10 MB' && isThread) expect(lost).toBe(0)
      if (isThread && !place) expect(text.stdout.length).toBeLessThanOrEqual(WINDOW)
      await bus.close({ timeout: 0 })
    })
  },
  120_000,
)

/** For all that is printed. */
function withUsualTime(place: object): QuickjsSandbox {
  const { time: _time, ...sandbox } = place as QuickjsSandbox
  return sandbox
}
