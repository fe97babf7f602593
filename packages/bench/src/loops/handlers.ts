// The handlers of the answering side, which do not depend on the transport.

export const greet = ({ name }: { name: string }): string => `Hello, ${name}!`

export const echo = (args: unknown): unknown => args

/** A message of a download's progress, as in Tauri's documentation. */
export const progress = (chunkLength: number): unknown => ({ event: 'progress', data: { chunkLength } })

/** Returns the index of a progress message in its stream; -1 for anything else. */
export const getChunk = (message: unknown): number =>
  (message as { data?: { chunkLength?: number } } | undefined)?.data?.chunkLength ?? -1
