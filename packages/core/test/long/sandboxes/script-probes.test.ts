// A hostile script finds nothing of Node in `sandbox: 'quickjs'`. Without a sandbox its probes do find something.
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { BusOptions, CodecName, FrontendOptions } from '../../../src/index.js'
import { fixture, next, start } from '../../support/start.js'
import { scriptApps, scriptCore, scriptSandboxes } from '../../support/scripts.js'
import { rows } from '../../../../../scripts/testing.js'

interface Probed {
  ran: string[]
  found: Record<string, string[]>
  globals: string[]
}

const parts = ['reach.js', 'language.js', 'client.js', 'client-errors.js'].map(name =>
  readFileSync(fixture(`sandboxes/scripts/${name}`), 'utf8'),
)
const script = new URL(`data:text/javascript,${encodeURIComponent(parts.join('\n'))}`)

async function probe(module: URL, ofBus: Partial<BusOptions>, options: FrontendOptions): Promise<Probed> {
  const bus = await start({ core: scriptCore, ...ofBus })
  const probed = next<Probed>(bus, 'probed')
  const failed = new Promise<never>((_resolve, reject) => bus.on('fault', ({ error }) => reject(error)))
  failed.catch(() => {})
  await bus.open('main', module, { allow: '*', ...options })
  return Promise.race([probed, failed])
}

const PROBES = [
  ...['names', 'globals', 'hidden intrinsics', 'this', 'loading', 'errors'],
  ...['sallyport', 'results', 'callbacks', 'streams and channels', 'errors of the client'],
]

/** All that a script finds by name, in addition to what the engine has of JavaScript. */
const OWN = [
  ...[
    'DOMException',
    'btoa',
    'atob',
    'performance',
    'CustomEvent',
    'Event',
    'EventTarget',
    'AbortController',
    'AbortSignal',
    'TextEncoder',
    'TextDecoder',
    'URL',
  ],
  ...['URLSearchParams', 'crypto', 'self', 'structuredClone', 'setTimeout', 'setInterval', 'setImmediate'],
  ...['clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask', 'sallyport'],
]
/** What QuickJS has, and Node has not, or not in each version. */
const OF_ENGINE = [
  'Symbol(Symbol.toStringTag)',
  'InternalError',
  'Iterator',
  'SuppressedError',
  'DisposableStack',
  'AsyncDisposableStack',
  'Float16Array',
]

const cases = scriptApps.flatMap(([pattern, app]) =>
  scriptSandboxes.map(([place, sandbox]) => ({ pattern, app, place, sandbox })),
)

describe.each(cases)('a script in $place, $pattern', ({ app, sandbox }) => {
  const data = { list: [new Map([[1, { a: new Uint8Array(2) }]])] }

  test('no probe finds anything', () =>
    rows<CodecName>(['json', 'msgpack'])(async codec => {
      const { ran, found, globals } = await probe(script, { ...app, codec }, { sandbox, data })
      expect(ran).toEqual(PROBES)
      expect(found).toEqual({})
      const language = new Set([
        ...runInNewContext('Reflect.ownKeys(globalThis).map(String)'),
        ...OF_ENGINE,
      ] as string[])
      expect(globals.filter(name => !language.has(name)).toSorted()).toEqual(OWN.toSorted())
    }))
})

test('each probe finds something without a sandbox', async () => {
  const { ran, found } = await probe(fixture('sandboxes/scripts/unsandboxed.mjs'), {}, { sandbox: 'none' })
  expect(ran).toEqual(PROBES)
  expect(Object.keys(found)).toEqual(PROBES)
})
