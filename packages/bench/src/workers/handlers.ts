// What the echoing side does, whatever carries the messages: the same few functions behind the bus and behind a bare port.

/** The measured events, one for each direction (an event reaches its own sender too), as Tauri's documentation has them. */
export const BACKEND_EVENT = 'backend-event'
export const FRONTEND_EVENT = 'frontend-event'
export const EVENT_PAYLOAD: Readonly<Record<string, string>> = { data: 'value' }

export const greet = ({ name }: { name: string }): string => `Hello, ${name}!`

export const echo = (args: unknown): unknown => args

/** One message of a download's progress, as a channel of a Tauri app carries it. */
export const progress = (chunk: number): unknown => ({ event: 'progress', data: { chunkLength: chunk } })

/** Which message of its stream a progress message is; -1 for anything else. */
export const chunkOf = (message: unknown): number =>
  (message as { data?: { chunkLength?: number } } | undefined)?.data?.chunkLength ?? -1
