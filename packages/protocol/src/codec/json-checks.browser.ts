// `json-checks.ts` for browsers, which read JSON of core alone. Core checks the rest of what a page sends.
import { protoKey } from './codec.js'

export const scanJson = (): void => {}
export const refuseInfinity = (): void => {}
export const mayHaveProtoKey = (text: string): boolean => text.includes('__proto__')
export function refuseProtoKeys(text: string): void {
  JSON.parse(text, (key, value: unknown) => {
    if (key === '__proto__') throw protoKey()
    return value
  })
}
