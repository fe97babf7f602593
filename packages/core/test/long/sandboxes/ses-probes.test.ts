// A hostile script finds nothing in `sandbox: 'ses'`. Without a sandbox its probes do find something.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { CodecName, FrontendOptions } from '../../../src/index.js'
import { fixture, next, start } from '../../support/start.js'
import { sesApps, sesCore, sesSandboxes } from '../../support/ses.js'

interface Probed {
  ran: string[]
  found: Record<string, string[]>
  globals: string[]
}

const parts = ['reach.js', 'language.js', 'client.js', 'client-errors.js'].map(name =>
  readFileSync(fixture(`sandboxes/ses/${name}`), 'utf8'),
)
const script = new URL(`data:text/javascript,${encodeURIComponent(parts.join('\n'))}`)

async function probe(module: URL, app: object, options: FrontendOptions): Promise<Probed> {
  const bus = await start({ core: sesCore, app })
  const probed = next<Probed>(bus, 'probed')
  const failed = new Promise<never>((_resolve, reject) => bus.on('fault', ({ error }) => reject(error)))
  failed.catch(() => {})
  await bus.open('main', module, { allow: '*', ...options })
  return Promise.race([probed, failed])
}

const PROBES = [
  ...['names', 'globals', 'hidden intrinsics', 'this', 'loading', 'shared objects changed', 'errors'],
  ...['sallyport', 'results', 'callbacks', 'streams and channels', 'errors of the client'],
]

/** All that a script finds by name. Some of JavaScript's own are missing in older Nodes. */
const GLOBALS = [
  ...['Infinity', 'NaN', 'undefined', 'isFinite', 'isNaN', 'parseFloat', 'parseInt', 'escape', 'unescape', 'eval'],
  ...['decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent', 'globalThis', 'harden', 'Function'],
  ...['Array', 'ArrayBuffer', 'BigInt', 'BigInt64Array', 'BigUint64Array', 'Boolean', 'DataView', 'Date', 'Int8Array'],
  ...['Int16Array', 'Int32Array', 'Iterator', 'JSON', 'Map', 'Math', 'Number', 'Object', 'Promise', 'Proxy', 'Reflect'],
  ...['RegExp', 'Set', 'String', 'Symbol', 'Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'WeakMap'],
  ...[
    'WeakSet',
    'Float32Array',
    'Float64Array',
    'Error',
    'AggregateError',
    'EvalError',
    'RangeError',
    'ReferenceError',
  ],
  ...['SyntaxError', 'TypeError', 'URIError', 'TextEncoder', 'TextDecoder', 'Symbol(Symbol.unscopables)'],
  ...['URL', 'URLSearchParams', 'AbortController', 'AbortSignal', 'console', 'sallyport'],
  ...['Temporal', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'queueMicrotask'],
]

const cases = sesApps.flatMap(([pattern, app]) =>
  sesSandboxes.map(([place, sandbox]) => ({ pattern, app, place, sandbox })),
)

describe.each(cases)('a script in $place, $pattern', ({ app, sandbox }) => {
  const data = { list: [new Map([[1, { a: new Uint8Array(2) }]])] }

  test.each<CodecName>(['json', 'msgpack'])('no probe finds anything: %s', async codec => {
    const { ran, found, globals } = await probe(script, app, { sandbox, codec, data })
    expect(ran).toEqual(PROBES)
    expect(found).toEqual({})
    expect(globals.filter(name => !GLOBALS.includes(name))).toEqual([])
    expect(['Iterator', 'Temporal']).toEqual(
      expect.arrayContaining(GLOBALS.filter(name => !globals.includes(name))) as string[],
    )
  })
})

test('each probe finds something without a sandbox', async () => {
  const { ran, found } = await probe(fixture('sandboxes/ses/unsandboxed.mjs'), {}, { sandbox: 'none' })
  expect(ran).toEqual(PROBES)
  expect(Object.keys(found)).toEqual(PROBES)
})
