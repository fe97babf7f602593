// What is sent: real calls, each with the answer it must get. A payload is plain data, so that it can be handed to the
// thread that sends it, and written by a user in a file of their own.

export interface Call {
  command: string
  /** Named arguments; with `bytes`, what is sent is the UTF-8 of their JSON. */
  args: unknown
  /** The answer that counts as right, in the same form. */
  expected: unknown
  bytes?: boolean
  /** It has to fail, and the message of its error is what is expected. */
  fails?: boolean
}

export interface Payload {
  id: string
  title: string
  /** Sent in turn: several real documents of one kind make one payload. */
  calls: readonly Call[]
  /** In place of calls: one that is made where it is sent, because what it carries would not go there in one frame. */
  sized?: Sized
}

/** A document of exactly so many bytes of JSON, which is sent as such or as bytes, and comes back. */
export interface Sized {
  parts: readonly object[]
  size: number
  bytes?: true
}

/** Documents that come back as they were sent. */
export const echoOf = (id: string, title: string, documents: readonly unknown[]): Payload => ({
  id,
  title,
  calls: documents.map(document => ({ command: 'echo', args: document, expected: document })),
})

/** The same documents as bytes, which nobody on the way has to parse. */
export const echoOfBytes = (id: string, title: string, documents: readonly unknown[]): Payload => ({
  id,
  title,
  calls: documents.map(document => ({ command: 'echo_bytes', args: document, expected: document, bytes: true })),
})

/** The mean size of a payload's arguments, in bytes of JSON; 0 where it calls nothing. */
export function payloadBytes({ calls, sized }: Payload): number {
  if (sized) return sized.size
  const sizes = calls.map(({ args }) => Buffer.byteLength(JSON.stringify(args)))
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length))
}
