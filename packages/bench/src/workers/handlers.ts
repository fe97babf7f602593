// What the echoing side does, whatever carries the messages: the same few functions behind the bus and behind a bare port.
import { readFile } from 'node:fs/promises'

export const KIB_FILE: URL = new URL('../../data/kib.txt', import.meta.url)

/** The measured events, one for each direction (an event reaches its own sender too), as Tauri's documentation has them. */
export const BACKEND_EVENT = 'backend-event'
export const FRONTEND_EVENT = 'frontend-event'
/** The event of one of many listeners. */
export const eachEvent = (listener: number): string => `each-${listener}`
export const EVENT_PAYLOAD: Readonly<Record<string, string>> = { data: 'value' }

/** What the handler of a call that fails says. */
export const FAILURE = 'no such name'

export const greet = ({ name }: { name: string }): string => `Hello, ${name}!`

/** What a handler of a real app does: it awaits the file system, for a file of 1 KiB. */
export const readKib = (): Promise<string> => readFile(KIB_FILE, 'utf8')

export function fail(): never {
  throw new Error(FAILURE)
}

/** Computes for so many µs: what a core can do of it is what its one thread can. */
export function work({ us }: { us: number }): string {
  const end = performance.now() + us / 1e3
  while (performance.now() < end);
  return 'done'
}

export const echo = (args: unknown): unknown => args

const TEXT = 'x'.repeat(960)

/** One message of a download's progress, as a channel of a Tauri app carries it. */
export const progress = (chunk: number): unknown => ({ event: 'progress', data: { chunkLength: chunk } })

/** The same with some text: a KiB. */
export const wideProgress = (chunk: number): unknown => ({
  event: 'progress',
  data: { chunkLength: chunk, text: TEXT },
})

/** Which message of its stream a progress message is; -1 for anything else. */
export const chunkOf = (message: unknown): number =>
  (message as { data?: { chunkLength?: number } } | undefined)?.data?.chunkLength ?? -1
