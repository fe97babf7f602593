// `data:` URLs, which are answered without a network, by the rules of the fetch standard.
import { MIMEType } from 'node:util'

/** The content of a `data:` URL. */
export interface DataUrlContent {
  /** The MIME type, `text/plain;charset=US-ASCII` by default. */
  readonly type: string
  readonly bytes: Uint8Array
}

/** @throws {string} Tauri's text, if the URL has no comma or its base64 is invalid */
export function readDataUrl({ href }: URL): DataUrlContent {
  const end = href.indexOf('#')
  const content = href.slice('data:'.length, end === -1 ? undefined : end)
  const comma = content.indexOf(',')
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

function percentDecode(text: string): Buffer {
  const input = Buffer.from(text)
  let length = 0
  for (let at = 0; at < input.length; at++) {
    const code =
      input[at] === 0x25
        ? Number.parseInt(/^[\da-f]{2}$/i.exec(input.toString('latin1', at + 1, at + 3))?.[0] ?? '', 16)
        : Number.NaN
    // The output never passes the input.
    input[length++] = Number.isNaN(code) ? input[at]! : code
    if (!Number.isNaN(code)) at += 2
  }
  return input.subarray(0, length)
}

function decodeBase64(bytes: Buffer): Uint8Array {
  const text = bytes.toString('latin1').replaceAll(/[\t\n\f\r ]/g, '')
  const body = text.length % 4 === 0 ? text.replace(/={1,2}$/, '') : text
  if (body.length % 4 === 1 || !/^[\w+/]*$/.test(body) || body.includes('_'))
    throw 'failed to decode data url into bytes'
  return Buffer.from(body, 'base64')
}
