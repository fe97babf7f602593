// Takes the place of the loading of a hook: a simulated gate passes its label in the place of a directory.
import { createHook, type Hook } from '../../../../isolation/src/hook/hook.js'
import { createJudge, HOOK_DEADLINE } from '../hook.js'
import { getWorld } from './threads.js'

export function loadHook({ dir: label }: { dir: string }): Hook {
  const world = getWorld()
  return createHook(
    createJudge(world, () => world.crashGate(label)),
    { deadline: HOOK_DEADLINE },
  )
}
