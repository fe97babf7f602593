// The description of the Chrome DevTools protocol (devtools-protocol): one large document of many small objects, and the
// same document as bytes. Published, it is 1.5 MiB of indented JSON; sent, it has no white space.
import { createRequire } from 'node:module'
import { echoOf, echoOfBytes, type Payload } from './payload.js'

export function readProtocol(): object {
  const require = createRequire(import.meta.url)
  return {
    browser: require('devtools-protocol/json/browser_protocol.json') as unknown,
    js: require('devtools-protocol/json/js_protocol.json') as unknown,
  }
}

export const devtoolsProtocol = (): Payload => echoOf('devtools', 'DevTools protocol', [readProtocol()])

export const devtoolsBytes = (): Payload => echoOfBytes('devtools-bytes', 'DevTools, as bytes', [readProtocol()])
