// Loads the module that brings frontends over a network, and has it join. What it gives is held to its promises: a network that
// fails is told of in the log, and keeps neither the figures nor the end of core from coming.
import { BusError, describeName, describeThrown, isBusError } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { NetworkModule, NetworkStats } from '../contract/control.js'
import type { Hub, JoinNetwork, Network } from '../contract/network.js'

export interface JoinedNetwork {
  stats(): NetworkStats | undefined
  /** Never rejects. */
  drain(): Promise<void>
  /** Resolves once it has closed, or `patience` milliseconds have passed. Never rejects. */
  close(patience: number): Promise<void>
}

/** @throws BusError `InvalidParams` for a module that is none, and what its `join` throws */
export async function joinNetwork({ module, options }: NetworkModule, hub: Hub): Promise<JoinedNetwork> {
  const where = `The network module ${describeName(module)}`
  const join = await load(where, module)
  let network: Network
  try {
    network = await join(hub, options)
  } catch (cause) {
    const reason = isBusError(cause) ? cause.reason : 'InternalError'
    throw new BusError(reason, `The network can’t be joined: ${describeThrown(cause)}`, { cause })
  }
  for (const method of ['stats', 'drain', 'close'] as const) {
    if (typeof Object(network)[method] !== 'function')
      throw new BusError('InvalidParams', `${where}: what its join gives has no ${method}()`)
  }
  return keptTo(network, hub.log)
}

async function load(where: string, url: string): Promise<JoinNetwork> {
  let join: unknown
  try {
    join = ((await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as { join?: unknown }).join
  } catch (cause) {
    throw new BusError('InvalidParams', `${where} can’t be loaded: ${describeThrown(cause)}`, { cause })
  }
  if (typeof join === 'function') return join as JoinNetwork
  throw new BusError('InvalidParams', `${where} has no join: it must \`export function join(hub, options)\``)
}

function keptTo(network: Network, log: Logger): JoinedNetwork {
  const failed = (err: unknown): void => log.error({ err }, 'the network has failed')
  const end = async (method: 'drain' | 'close'): Promise<void> => {
    try {
      await network[method]()
    } catch (error) {
      failed(error)
    }
  }
  return {
    stats() {
      try {
        return structuredClone(network.stats())
      } catch (error) {
        failed(error)
        return undefined
      }
    },
    drain: () => end('drain'),
    close: async patience => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>(resolve => (timer = setTimeout(resolve, patience)))
      await Promise.race([end('close'), late])
      clearTimeout(timer)
    },
  }
}
