// Loads a network module and joins its network. A network that fails later is logged, and delays neither statistics nor the end of core.
import { within } from '@sallyport/protocol/internal/contract'
import { BusError, describeName, describeThrown, isBusError } from '@sallyport/protocol/internal/errors'
import type { Logger } from 'pino'
import type { NetworkModule, NetworkStats } from '../../contract/host-core.js'
import type { Hub, JoinNetwork, Network } from '../../contract/core-network.js'

/** A network whose failures are handled: no method rejects or throws. */
export interface JoinedNetwork {
  stats(): NetworkStats | undefined
  drain(): Promise<void>
  /** Resolves once the network has closed, or after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>
}

/** @throws {BusError} `InvalidParams` for an invalid module; the error of its `join` */
export async function joinNetwork({ module, options }: NetworkModule, hub: Hub): Promise<JoinedNetwork> {
  const subject = `The network module ${describeName(module)}`
  const join = await loadModule(subject, module)
  let network: Network
  try {
    network = await join(hub, options)
  } catch (cause) {
    const reason = isBusError(cause) ? cause.reason : 'LoadFailed'
    throw new BusError(reason, `The network could not be joined: ${describeThrown(cause)}`, { cause })
  }
  for (const method of ['stats', 'drain', 'close'] as const) {
    if (typeof Object(network)[method] === 'function') continue
    throw new BusError('InvalidParams', `${subject}: the result of its join has no ${method}()`)
  }
  return handleFailures(network, hub.log)
}

async function loadModule(subject: string, url: string): Promise<JoinNetwork> {
  let join: unknown
  try {
    join = ((await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as { join?: unknown }).join
  } catch (cause) {
    throw new BusError('InvalidParams', `${subject} could not be loaded: ${describeThrown(cause)}`, { cause })
  }
  if (typeof join === 'function') return join as JoinNetwork
  throw new BusError('InvalidParams', `${subject} has no export "join". Add \`export function join(hub, options)\``)
}

function handleFailures(network: Network, log: Logger): JoinedNetwork {
  const logFailure = (err: unknown): void => log.error({ err }, 'the network failed')
  const run = async (method: 'drain' | 'close'): Promise<void> => {
    try {
      await network[method]()
    } catch (error) {
      logFailure(error)
    }
  }
  return {
    stats() {
      try {
        return structuredClone(network.stats())
      } catch (error) {
        logFailure(error)
        return undefined
      }
    },
    drain: () => run('drain'),
    close: timeoutMs => within(timeoutMs, run('close')),
  }
}
