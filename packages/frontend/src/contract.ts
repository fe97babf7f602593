// What the host hands to a frontend worker when it starts it, and what the two tell each other.
import type { CodecName } from '@sallyport/protocol'
import type { LifeState } from '@sallyport/protocol/actor'
import type { MessagePort } from 'node:worker_threads'

export interface FrontendWorkerData {
  label: string
  codec: CodecName
  /** The user's module, as a URL. */
  module: string
  /** To core. */
  link: MessagePort
  /** To this frontend's gate, in the isolation pattern. */
  gate?: MessagePort
}

/** Host → frontend. */
export type FrontendCommand = { type: 'start' } | { type: 'stop' }

/** Frontend → host. What it says is never trusted, and only ever shown. */
export interface FrontendReport {
  type: 'state'
  state: LifeState
  error?: string
}
