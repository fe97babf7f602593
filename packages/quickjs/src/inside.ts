// What a script in QuickJS finds around it. The build evaluates this file, and each VM begins with the memory that it left. The inside is no
// border: a script can change all of it, and gets nothing by that. The script host takes text from it, as from a foreign process.
import './inside/host.js'
import { renameClient } from '@sallyport/frontend/internal'
import { BusError } from '@sallyport/protocol/internal/errors'
import { createClient, type Env, getClient, links, sallyport, type ScriptStart, setSecrets } from './inside/client.js'
import { countRequests, network } from './inside/fetch.js'
import {
  boundMarks,
  countTimers,
  globals,
  resumeTimers,
  seedRandom,
  startClock,
  suspendTimers,
  wake,
} from './inside/globals.js'
import { countRequests as countReads, describeError, post, postError, rejectAll, settle } from './inside/port.js'

function define(values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false })
}
define(globals)
boundMarks()
// No memory of a script is shared, and there is no `Atomics`.
Reflect.deleteProperty(globalThis, 'SharedArrayBuffer')
// It would hand out the functions below, and with them a way to forge messages. Without its setter, the engine ignores what a script assigns.
Reflect.deleteProperty(Error, 'prepareStackTrace')
Object.defineProperty(globalThis, 'sallyport', { value: sallyport })

/** Placeholders of secrets, as `process.env`: packages read them there. */
const environment: Record<string, string> = Object.create(null)

/** @param env - `undefined` if the script has no network */
function setNetwork(env: Env | undefined): void {
  setSecrets(env ?? {})
  if (!env) return
  if (!('fetch' in globalThis)) define(network)
  Object.assign(environment, env)
  if (Object.keys(env).length > 0) define({ process: { env: environment } })
}

/** Takes what a script begins with. */
function begin(text: string, data: unknown): void {
  const { seed, env, ...options }: ScriptStart = JSON.parse(text)
  startClock()
  seedRandom(new Uint32Array(seed))
  setNetwork(env)
  createClient(options, data)
  Reflect.deleteProperty(globalThis, '__sallyport')
}

const handlers: Record<string, (value: never, bytes: Uint8Array | undefined) => void> = {
  room: links.setRoom,
  wake,
  settle,
  closed: links.closed,
  reconnect: () => void getClient().reconnect(),
  close: () => void getClient().close(),
  restored({ label, env }: { label: string; env?: Env }) {
    renameClient(getClient(), label)
    setNetwork(env)
    getClient().restored(() => {
      rejectAll(new BusError('Disconnected', 'The run was interrupted', { data: { delivered: 'unknown' } }))
      resumeTimers()
    })
  },
}

/** Takes a message of the script host. */
function deliver(text: string, bytes?: Uint8Array): void {
  const end = text.indexOf(' ')
  handlers[text.slice(0, end)]!(JSON.parse(text.slice(end + 1)) as never, bytes)
}

/** Reports the end of a module's evaluation. */
function watch(evaluated: Promise<unknown>): void {
  evaluated.then(
    () => post('loaded'),
    (thrown: unknown) => postError('load-error', thrown),
  )
  void getClient()
    .load(evaluated)
    .then(() => post('synchronized'))
    .catch(() => {})
}

/** Exposes the function that `bus.run` calls. */
function exposeRun(body: (...values: unknown[]) => unknown): void {
  const { Channel, emit, expose, invoke, listen, stream } = sallyport
  getClient().exposeRun(args => body(args, invoke, stream, emit, listen, expose, Channel))
}

/** Called when a run has nothing to do. */
function idle(): void {
  const tokens = getClient().idle({ requests: countRequests(), others: countTimers() + countReads() })
  if (!tokens) return
  suspendTimers()
  post('suspend', tokens)
}

const describe = (thrown: unknown): string => {
  try {
    return JSON.stringify(describeError(thrown))
  } catch {
    return JSON.stringify({ message: 'a value that cannot be shown' })
  }
}

Object.defineProperty(globalThis, '__sallyport', {
  value: { begin, deliver, receive: links.receive, watch, exposeRun, idle, describe },
  configurable: true,
})
