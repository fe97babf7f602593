// Freezes JavaScript's own objects in this thread, for good, before any code runs that is not trusted. Import it in a thread
// that is to be locked only: SES changes some of them as it loads.
import 'ses'
import { freezeNodeErrors } from './sandbox-node-errors.js'
import { warmUp } from './sandbox-warm-up.js'

let locked = false

export const isLockedDown = (): boolean => locked

/**
 * Locks this thread's JavaScript down; a second call does nothing. Every option is given, so that no environment variable
 * (`LOCKDOWN_…`) can weaken one.
 */
export function lockDown(): void {
  if (locked) return
  warmUp()
  lockdown({
    // The thread's own errors keep their stacks; a hook may see which frames called it, and nothing it could use.
    errorTaming: 'unsafe',
    stackFiltering: 'verbose',
    // Node keeps its console, its handling of errors and its exit code.
    consoleTaming: 'unsafe',
    errorTrapping: 'none',
    unhandledRejectionTrapping: 'none',
    reporting: 'none',
    // Plain scripts assign `x.constructor`, `counts.toString`: as an own property, as anywhere else.
    overrideTaming: 'severe',
    overrideDebug: [],
    legacyRegeneratorRuntimeTaming: 'safe',
    domainTaming: 'safe',
    evalTaming: 'safe-eval',
    localeTaming: 'safe',
    regExpTaming: 'safe',
    __hardenTaming__: 'safe',
  })
  freezeNodeErrors()
  locked = true
}
