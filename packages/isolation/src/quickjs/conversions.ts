// What the script host computes for a script: URLs, encodings of text and random bytes. The values are texts and bytes.
import { randomFillSync, randomUUID } from 'node:crypto'
import { URL_PARTS, type UrlPart } from './url-parts.js'

type Conversion = (value: never) => string | Uint8Array

const encoder = new TextEncoder()
const MAX_RANDOM_BYTES = 65_536
const toParts = (url: URL): string =>
  JSON.stringify(Object.fromEntries([...URL_PARTS, 'origin' as const].map(name => [name, url[name]])))

function orNull(convert: () => string): string {
  try {
    return convert()
  } catch {
    return 'null'
  }
}

const conversions: Readonly<Record<string, Conversion>> = {
  random: (size: number) => randomFillSync(new Uint8Array(Math.min(Number(size), MAX_RANDOM_BYTES))),
  uuid: () => randomUUID(),
  encode: (text: string) => encoder.encode(String(text)),
  encoding(label: string) {
    try {
      return new TextDecoder(label).encoding
    } catch {
      return ''
    }
  },
  decode: ([encoding, fatal, ignoreBOM, bytes]: [string, boolean, boolean, Uint8Array]) =>
    orNull(() => JSON.stringify([new TextDecoder(encoding, { fatal, ignoreBOM }).decode(bytes)])).replace(
      /^null$/,
      '[null]',
    ),
  query: (text: string) => JSON.stringify([...new URLSearchParams(String(text))]),
  'to-query': (pairs: [string, string][]) => JSON.stringify(String(new URLSearchParams(pairs))),
  url: ([url, base]: [string, string | null]) => orNull(() => toParts(new URL(url, base ?? undefined))),
  'set-url': ([href, name, value]: [string, UrlPart, string]) =>
    orNull(() => {
      const url = new URL(href)
      if (URL_PARTS.includes(name)) Reflect.set(url, name, value)
      return toParts(url)
    }),
}

/** Returns `undefined` for an operation that is not a conversion. */
export const convert = (operation: string, value: unknown): string | Uint8Array | undefined =>
  Object.hasOwn(conversions, operation) ? conversions[operation]!(value as never) : undefined
