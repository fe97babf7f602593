// What a script in QuickJS finds around it. The script host evaluates this file once, and copies the VM for each script. The inside is no
// border: a script can change all of it, and gets nothing by that. The script host takes text from it, as from a foreign process.
import { abort, client, emitted, end, message, pull, run } from './quickjs/inside/client.js'
import { network } from './quickjs/inside/fetch.js'
import { fire, globals, seedRandom } from './quickjs/inside/globals.js'
import { decode, decodeClone, describeError, fail, post, settle, start, toError } from './quickjs/inside/port.js'
import type { CrossedError } from './quickjs/values.js'

function define(values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false })
}
define(globals)
// No memory of a script is shared, and there is no `Atomics`.
Reflect.deleteProperty(globalThis, 'SharedArrayBuffer')
// It would hand out the functions below, and with them a way to forge messages. Without its setter, the engine ignores what a script assigns.
Reflect.deleteProperty(Error, 'prepareStackTrace')
Object.defineProperty(globalThis, 'sallyport', { value: client })

/** Placeholders of secrets, as `process.env`: packages read them there. */
const environment: Record<string, string> = Object.create(null)

/** @param env - `undefined` if the script has no network */
function setNetwork(env: Readonly<Record<string, string>> | undefined): void {
  if (!env) return
  if (!('fetch' in globalThis)) define(network)
  Object.assign(environment, env)
  if (Object.keys(env).length > 0) define({ process: { env: environment } })
}

type Handle = (id: number, value: never) => void

const handlers: Record<string, Handle> = {
  settle,
  fail,
  run,
  pull,
  message,
  end,
  event: emitted,
  timer: fire,
  abort: (id, error: CrossedError) => abort(id, toError(error)),
  resumed(_id, { env, ...next }: { label: string; isJson: boolean; env?: Readonly<Record<string, string>> }) {
    Object.assign(start, next, { env })
    setNetwork(env)
  },
}

/** Takes a message of the script host. */
function deliver(text: string, ...bytes: Uint8Array[]): void {
  const first = text.indexOf(' ')
  const second = text.indexOf(' ', first + 1)
  const operation = text.slice(0, first)
  const id = Number(text.slice(first + 1, second))
  const content = text.slice(second + 1)
  if (operation !== 'begin') return handlers[operation]!(id, decode(content, bytes) as never)
  const { label, data, isJson, seed, env } = decodeClone(content, bytes) as {
    label: string
    data: unknown
    isJson: boolean
    seed: number[]
    env?: Readonly<Record<string, string>>
  }
  Object.assign(start, { label, data, isJson, env })
  seedRandom(new Uint32Array(seed))
  setNetwork(env)
  Reflect.deleteProperty(globalThis, '__sallyport')
}

/** Reports the end of a module's evaluation. */
const watch = (evaluated: PromiseLike<unknown>): void =>
  void evaluated.then(
    () => void post('loaded', 0),
    (thrown: unknown) => void post('load-error', 0, describeError(thrown)),
  )

/** Exposes the function that `bus.run` calls. */
function exposeRun(body: (...values: unknown[]) => unknown): void {
  const { Channel, emit, expose, invoke, listen, stream } = client
  ;(expose as (functions: object) => void)({
    'bus.run': (args: unknown) => body(args, invoke, stream, emit, listen, expose, Channel),
  })
}

const describe = (thrown: unknown): string => {
  try {
    return JSON.stringify(describeError(thrown))
  } catch {
    return JSON.stringify({ message: 'a value that cannot be shown' })
  }
}

Object.defineProperty(globalThis, '__sallyport', {
  value: { deliver, watch, exposeRun, describe },
  configurable: true,
})
