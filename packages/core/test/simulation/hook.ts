// The hook of the simulated gates: what it does with a message stands in it, in a call as an argument and in an answer as a
// member of the result.
import type { HookFunction } from '../../../isolation/src/hook/hook.js'
import type { Told } from './commands.js'
import type { World } from './world.js'

/** Milliseconds after which a gate gives a message up. */
export const HOOK_DEADLINE = 50

export function createJudge(world: World, die: () => void): HookFunction {
  const { clock } = world.simulation
  return message => {
    const { payload } = message as { payload: { event?: string; payload?: Told; result?: Told; error?: object } & Told }
    const { verdict, hookMs } = payload.payload ?? payload.result ?? payload
    if (verdict === 'null') return null
    if (verdict === 'throws') throw new Error('the hook')
    if (verdict === 'later') return clock.sleep(hookMs).then(() => message)
    if (verdict === 'laterNull') return clock.sleep(hookMs).then(() => null)
    if (verdict === 'never') return new Promise(() => {})
    if (verdict === 'dies') die()
    return message
  }
}
