// `bus.run`: runs code as text once, in a frontend of its own that ends with it.
import type { Client } from '@sallyport/frontend/internal'
import { checkDeadline, createDeferred, isBusError, watchDeadline } from '@sallyport/protocol/internal'
import { HOST_METHOD } from '../contract/host-core.js'
import type { FrontendHandle } from './frontends/frontend-handle.js'
import type { Host } from './host.js'
import { nameFunction } from './name-function.js'
import { checkModule, resolveRun } from './options/resolve.js'
import type { RunOptions } from './options/types.js'

/** Subject of error texts, and the name of the function that the code's wrapper exposes. */
const RUN_NAME = 'bus.run'

/** Resolves or rejects once the sandbox has ended. */
export async function run(host: Host, client: Client, source: string, options: RunOptions = {}): Promise<unknown> {
  const { frontends } = host
  const { label = frontends.createRunLabel(), ...resolved } = resolveRun(RUN_NAME, source, options, host.options)
  const { module, config, args, timeout } = resolved
  await checkModule(`${RUN_NAME}: directory`, module, config.text)
  checkDeadline(RUN_NAME, options)
  host.checkRunning()
  // Its label belongs to another frontend otherwise, which must not end with the run.
  frontends.checkFree(label)
  const opening = frontends.open(label, module, config)
  const frontend = frontends.get(label)!
  const stopped = createDeferred<never>()
  const stopWatching = watchDeadline(RUN_NAME, { signal: options.signal, timeout }, stopped.reject)
  const running = callOnce(opening, () => {
    return client.invoke(HOST_METHOD.call, args, { timeout: false, headers: { label, name: RUN_NAME } })
  })
  try {
    return await Promise.race([running, stopped.promise])
  } catch (error) {
    throw getReason(error, frontend)
  } finally {
    stopWatching()
    await frontend.close()
    await running.catch(() => {})
  }
}

async function callOnce(opening: Promise<() => Promise<void>>, call: () => Promise<unknown>): Promise<unknown> {
  const start = await opening
  await start()
  return call()
}

/** Returns the error that ended the sandbox if its call failed for that reason. */
function getReason(error: unknown, { end }: FrontendHandle): unknown {
  if (isBusError(error, 'Disconnected') && end?.error) return end.error
  return isBusError(error) ? nameFunction(error, HOST_METHOD.call, RUN_NAME) : error
}
