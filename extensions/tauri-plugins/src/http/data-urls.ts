// `data:` URLs, which are answered without a network, by the rules of the fetch standard. The work is linear: a frontend chooses the URL.
import { MIMEType } from 'node:util'

/** The content of a `data:` URL. */
export interface DataUrlContent {
  /** The MIME type, `text/plain;charset=US-ASCII` by default. */
  readonly type: string
  readonly bytes: Uint8Array
}

/** Characters before the comma. Node's parser of MIME types takes seconds for a long one. */
const MAX_HEADER_LENGTH = 1024

/** @throws {string} Tauri's text, if the URL has no comma within 1024 characters or its base64 is invalid */
export function readDataUrl({ href }: URL): DataUrlContent {
  const end = href.indexOf('#')
  const content = href.slice('data:'.length, end === -1 ? undefined : end)
  const comma = content.slice(0, MAX_HEADER_LENGTH + 1).indexOf(',')
  if (comma === -1) throw 'failed to process data url'
  const [header, marker = ''] = /^(.*?)(; *base64)?$/is.exec(content.slice(0, comma).trim())?.slice(1) ?? []
  const bytes = percentDecode(content.slice(comma + 1))
  return { type: toMimeType(header ?? ''), bytes: marker === '' ? bytes : decodeBase64(bytes) }
}

function toMimeType(header: string): string {
  try {
    return new MIMEType(header.startsWith(';') ? `text/plain${header}` : header).toString()
  } catch {
    return 'text/plain;charset=US-ASCII'
  }
}

/** Values of hexadecimal digits by their code, and -1 for other characters. */
const DIGITS = Int8Array.from({ length: 256 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code | 0x20)),
)
for (let code = 0; code < 0x20; code++) DIGITS[code] = -1

function percentDecode(text: string): Buffer {
  const bytes = Buffer.from(text)
  const first = bytes.indexOf(0x25)
  if (first === -1) return bytes
  let length = first
  for (let at = first; at < bytes.length; at++) {
    const high = bytes[at] === 0x25 ? (DIGITS[bytes[at + 1] ?? 0] ?? -1) : -1
    const low = high < 0 ? -1 : (DIGITS[bytes[at + 2] ?? 0] ?? -1)
    // The output never passes the input.
    bytes[length++] = low < 0 ? bytes[at]! : high * 16 + low
    if (low >= 0) at += 2
  }
  return bytes.subarray(0, length)
}

function decodeBase64(bytes: Buffer): Uint8Array {
  const text = bytes.toString('latin1').replaceAll(/[\t\n\f\r ]+/g, '')
  const padding = text.length % 4 !== 0 ? 0 : text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const body = text.slice(0, text.length - padding)
  const decoded = Buffer.from(body, 'base64')
  // Node ignores other characters, and reads those of base64url.
  const isValid = body.length % 4 !== 1 && decoded.length === Math.floor((body.length * 3) / 4) && !/[-_=]/.test(body)
  if (!isValid) throw 'failed to decode data url into bytes'
  return decoded
}
