// The handlers of the answering side, which do not depend on the transport.

/** The measured events, one for each direction, because an event also reaches its sender. */
export const BACKEND_EVENT = 'backend-event'
export const FRONTEND_EVENT = 'frontend-event'
export const EVENT_PAYLOAD: Readonly<Record<string, string>> = { data: 'value' }

export const greet = ({ name }: { name: string }): string => `Hello, ${name}!`

export const echo = (args: unknown): unknown => args

/** A message of a download's progress, as in Tauri's documentation. */
export const progress = (chunkLength: number): unknown => ({ event: 'progress', data: { chunkLength } })

/** Returns the index of a progress message in its stream; -1 for anything else. */
export const getChunk = (message: unknown): number =>
  (message as { data?: { chunkLength?: number } } | undefined)?.data?.chunkLength ?? -1

type Emit = (event: string, payload: unknown) => void

export interface Backend {
  commands: Readonly<Record<string, (args: never) => unknown>>
  countEvent(): void
}

/** @param getEmit - returns the function that emits to the frontend */
export function createBackend(getEmit: () => Emit): Backend {
  let events = 0
  return {
    commands: {
      greet,
      echo,
      burst: ({ count }: { count: number }) => {
        const emit = getEmit()
        for (let sent = 0; sent < count; sent++) emit(BACKEND_EVENT, EVENT_PAYLOAD)
      },
      // Returns the number of events since the previous call.
      seen: () => {
        const seen = events
        events = 0
        return seen
      },
    },
    countEvent: () => void events++,
  }
}
