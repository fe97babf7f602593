// How a server is reached: by the standard streams of its program, or by HTTP.
import type { Transport } from '@modelcontextprotocol/client'

export interface ServerTransport extends Transport {
  /** Resolves with the reason once the server has ended, and nothing of it is left. */
  readonly ended: Promise<string>
  readonly isClosed: boolean
  /** True once it has ended by itself, or was ended for a reason. The SDK ends it without one, after an error of its own. */
  readonly hasReason: boolean
  close(reason?: string): Promise<void>
  /** Returns what a start that failed has left: a hint for the error, and texts of the server for the host alone. */
  describeStart(): { readonly hint: string; readonly written: string }
  /** Returns what an error of a request means, unless it is an answer. */
  explain(error: Error): RequestLost | undefined
}

/** A request without an answer, of a server that has not ended. The message is a clause about the server. */
export class RequestLost extends Error {}
