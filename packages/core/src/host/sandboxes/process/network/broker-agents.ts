// Connections of one frontend's broker to hosts, which are kept alive for its next requests. No other frontend uses them.
import { Agent as HttpAgent, type AgentOptions } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Duplex } from 'node:stream'

/** Connections of each scheme without a request. A list of hosts with a wildcard would allow any number. */
const MAX_FREE = 16
/** Milliseconds until a connection without a request ends, or earlier if the host says so. The default of Node's `fetch`. */
const FREE_TIMEOUT_MS = 4000

const options: AgentOptions = { keepAlive: true, timeout: FREE_TIMEOUT_MS, scheduling: 'lifo' }

/** What Node documents: a connection for which `keepSocketAlive` returns false ends. Its types say that it returns nothing. */
interface KeepAlive {
  keepSocketAlive(socket: Duplex): boolean
}

/** Limits an agent's free connections of all hosts. */
function limitFree<T extends HttpAgent>(agent: T): T {
  const { keepSocketAlive } = agent as unknown as KeepAlive
  return Object.assign(agent, {
    keepSocketAlive: (socket: Duplex): boolean =>
      Object.values(agent.freeSockets).flat().length < MAX_FREE && keepSocketAlive.call(agent, socket),
  })
}

export class BrokerAgents {
  readonly #http = limitFree(new HttpAgent(options))
  readonly #https = limitFree(new HttpsAgent(options))
  #isClosed = false

  /** Returns the agent of a scheme, or `false` for a connection of its own. */
  get(isEncrypted: boolean): HttpAgent | false {
    if (this.#isClosed) return false
    return isEncrypted ? this.#https : this.#http
  }

  close(): void {
    this.#isClosed = true
    this.#http.destroy()
    this.#https.destroy()
  }
}
