import { readFileSync } from 'node:fs'
import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { clockedCall } from '../../src/payloads/payloads.js'
import type { Task } from '../../src/model/scenario.js'
import type { Reply, Request } from '../../src/loops/serve.js'

const text = readFileSync(new URL('../../frontends/script.js', import.meta.url), 'utf8')

/** Runs the script as SES does: with nothing but the client and timers. Returns a function that asks it, and the calls that it made. */
async function runScript(greet: () => string): Promise<{ ask(task: Task): Promise<Reply>; called: string[] }> {
  const called: string[] = []
  let receive: (event: { payload: Request }) => Promise<void> = async () => {}
  let reply: Reply | undefined
  const sallyport = {
    invoke: async (command: string) => {
      if (called.at(-1) !== command) called.push(command)
      // Answers come in a later tick, too.
      await new Promise(resolve => setImmediate(resolve))
      if (command === 'clock_stop') return { p50: 1 }
      return command === 'clocked_greet' ? greet() : null
    },
    listen: async (_: string, handler: typeof receive) => (receive = handler),
    emit: async (event: string, payload: Reply) => event === 'bench-reply' && (reply = payload),
  }
  const program = runInThisContext(`(async sallyport => {${text}\n})`) as (client: object) => Promise<void>
  await program(sallyport)
  return {
    called,
    ask: async task => {
      await receive({ payload: { id: 7, task, payloadId: 'clocked', payload: clockedCall } })
      return reply!
    },
  }
}

test('the script settles, and then measures by the clock of core', async () => {
  const { ask, called } = await runScript(() => 'Hello, World!')
  expect(await ask({ loop: 'calls', ms: 2, settleMs: 2, inFlight: 4 })).toEqual({ id: 7, figures: { p50: 1 } })
  expect(called).toEqual(['greet', 'clocked_greet', 'clock_start', 'clocked_greet', 'clock_stop'])
})

test('a wrong answer fails the measurement, even after correct ones', async () => {
  let answers = 0
  const { ask } = await runScript(() => (answers++ < 3 ? 'Hello, World!' : 'Bye'))
  const error = "'clocked_greet' returned Bye; expected Hello, World!"
  expect(await ask({ loop: 'calls', ms: 1000 })).toEqual({ id: 7, error })
})

test('an unknown loop is an error', async () => {
  const { ask } = await runScript(() => '')
  expect(await ask({ loop: 'stream', ms: 1 })).toEqual({ id: 7, error: "This arm has no loop 'stream'" })
})
