// A gate without a bus, for a test of its hook: the same worker, with its sandbox and its watchdog. Whoever starts it links it.
import { EventEmitter } from 'node:events'
import type { OnConfirm } from './confirm.js'
import { checkFile } from './files.js'
import { startGate, type Gate } from './gates.js'
import { folderUrl } from './location.js'
import { createHostLog } from './log.js'
import type { ModuleLocation } from './location.js'
import { resolveLocation } from './resolve-options.js'
import { createSupervisor } from './supervisor.js'
import { supervisionOf } from './supervision.js'
import { Teller } from './teller.js'
import { createWatchdog } from './watchdog.js'

export interface LoneGateOptions {
  /** As of the isolation pattern. */
  envelope?: boolean
  /** Likewise: 1000 ms by default. */
  hookTimeout?: number
  /** Answers the hook's `confirm`; no, unless given. */
  onConfirm?: OnConfirm
}

/**
 * @param failed is called where the gate ends: its hook can't be loaded, or does not come back
 * @throws BusError `InvalidParams` where there is no such app
 */
export async function startLoneGate(
  label: string,
  given: ModuleLocation,
  { envelope = false, hookTimeout = 1000, onConfirm }: LoneGateOptions,
  failed: (error: Error) => void,
): Promise<Gate> {
  const from = 'runHook: dir'
  const dir = folderUrl(resolveLocation(from, given))
  await checkFile(from, new URL('index.html', dir))
  const log = createHostLog(false)
  const isolation = { dir, envelope, hookTimeout, maxRecordAge: undefined, from }
  const nothing = (): void => {}
  return startGate(
    label,
    supervisionOf('temporary'),
    {
      supervisor: createSupervisor(),
      options: { pattern: 'isolation', isolation, onConfirm, calls: {}, dev: false, workers: {} },
      cipher: true,
      watchdog: createWatchdog(hookTimeout),
      log,
      teller: new Teller(log, new EventEmitter()),
    },
    { up: nothing, ready: nothing, down: nothing, rejected: nothing, broken: failed, failed },
  )
}
