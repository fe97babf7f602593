// What is sent: real calls, each with the answer it must get. A payload is plain data, so that it can be handed to the
// thread that sends it, and written by a user in a file of their own.

export interface Call {
  command: string
  /** Named arguments; with `bytes`, what is sent is the UTF-8 of their JSON. */
  args: unknown
  /** The answer that counts as right, in the same form. */
  expected: unknown
  bytes?: boolean
}

export interface Payload {
  id: string
  title: string
  /** Sent in turn: several real documents of one kind make one payload. */
  calls: readonly Call[]
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

/** The mean size of a payload's arguments, in bytes of JSON. */
export function payloadBytes({ calls }: Payload): number {
  const sizes = calls.map(({ args }) => Buffer.byteLength(JSON.stringify(args)))
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length)
}
