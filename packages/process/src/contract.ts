// What core gives to the process of a frontend: nothing else of a bus is known here.
import type { DirectSocket, TransferListItem } from '@sallyport/protocol/internal/link'

/** What starts processes asks of a bus. */
export interface ProcessHost {
  readonly log: ProcessLog
  /** The program of a frontend's process, as a URL. */
  readonly entry: string
  /** The core module, if it has a location. */
  readonly core: unknown
  /** Returns the name of a frontend in errors. */
  getName(label: string): string
  /** Starts a relay in a thread that runs `@sallyport/process/internal/relay`. */
  openRelay(name: string, data: object, transfer?: readonly TransferListItem[]): ProcessMember
  /** Starts a script in the process of a relay, with the first message to it. */
  openScript(relay: ProcessMember, name: string, data: object): ProcessMember
  /** Logs what the process of a group of scripts prints; without a group, nobody's code prints. */
  readOutput(relay: ProcessMember, group: string | undefined): void
}

export interface ProcessLog {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  warn(text: string): void
}

/** A relay, or a script in its process, as the host sees it: in the place of a frontend's worker. */
export interface ProcessMember {
  /** One that was started before it is known whose it is gets another name. */
  name: string
  wasStartedAhead: boolean
  /** Left out if it forwards the frames of its process. */
  sockets?: RelaySockets | undefined
  /** Logs what its process has left behind, once it has exited. */
  announceEnd?: () => void
  /** What its process uses. */
  readUsage?: () => { memory?: number | undefined; cpu?: number | undefined } | undefined
  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void
  on(event: 'message' | 'error', listener: (value: unknown) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  once(event: 'exit', listener: (code: number) => void): unknown
  removeAllListeners(): unknown
  terminate(): Promise<unknown>
  ref(): void
  unref(): void
}

/** The sockets of one process. */
export interface RelaySockets {
  /** The ends, in the order of their owners. */
  readonly ids: readonly number[]
  /** True until they are taken for a link, or one of the owners has stopped: the process needs others then, and cannot get them. */
  readonly areFree: boolean
  take(): void
}

/** The worker of core, or of a gate. Its thread can own ends of sockets, which close with it. */
export interface SocketOwner {
  readonly isUp: boolean
  readonly code: { readonly thread: object | undefined }
  post(command: { type: 'socket'; socket: DirectSocket }, transfer: readonly TransferListItem[]): void
}
