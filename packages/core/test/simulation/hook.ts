// The hook of the simulated gates. A message holds the hook's instruction: a call among its arguments, an answer in its result.
import type { HookFunction } from '../../../isolation/src/hook/hook.js'
import type { CallArguments } from './commands.js'
import type { World } from './world.js'

/** Milliseconds after which a gate rejects a message. */
export const HOOK_DEADLINE = 50

export function createJudge(world: World, die: () => void): HookFunction {
  const { clock } = world.simulation
  return message => {
    const { payload } = message as {
      payload: { event?: string; payload?: CallArguments; result?: CallArguments; error?: object } & CallArguments
    }
    const { verdict, hookMs } = payload.payload ?? payload.result ?? payload
    if (verdict === 'null') return null
    if (verdict === 'throws') throw new Error('the hook')
    if (verdict === 'later') return clock.sleep(hookMs, clock.place, true).then(() => message)
    if (verdict === 'laterNull') return clock.sleep(hookMs, clock.place, true).then(() => null)
    if (verdict === 'never') return new Promise(() => {})
    if (verdict === 'dies') die()
    return message
  }
}
