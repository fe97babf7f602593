// The functions of the script host. Nothing else leads out of a VM.
import type { Frame } from '@sallyport/protocol/internal/wire'

interface Holder {
  /** Takes an operation and its value as JSON, and bytes. */
  send(text: string, bytes?: ArrayBuffer): unknown
  /** Takes a frame for core: JSON, or bytes of another kind. Returns true if the link has no room for more. */
  sendFrame(body: string | ArrayBuffer, kind?: number): unknown
}

const holder = globalThis as { __sallyport?: Holder }
const { send, sendFrame: sendBody } = holder.__sallyport!
delete holder.__sallyport

export const sendFrame = ({ kind, body }: Frame): unknown =>
  typeof body === 'string' ? sendBody(body) : sendBody(body.slice().buffer as ArrayBuffer, kind)

/** @throws {Error} whose message is the host's error as JSON */
export const convert = (operation: string, value?: unknown, bytes?: Uint8Array): unknown =>
  send(`${operation} ${JSON.stringify(value) ?? 'null'}`, bytes && (bytes.slice().buffer as ArrayBuffer))

/** The text is no JSON, in which a large one would be twice as long. */
export const encodeText = (text: string): Uint8Array =>
  send(`encode ${(text as string & { toWellFormed(): string }).toWellFormed()}`) as Uint8Array
