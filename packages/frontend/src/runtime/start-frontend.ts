// The lifecycle of a frontend in a worker or a process: creates the thread's client, then loads the user's module or script.
import { setImmediate as nextTick } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import {
  BusError,
  explainTypeScript,
  type FrontendFunctions,
  type FrontendReport,
  type FrontendScript,
  type FrontendStart,
  isBusError,
  type Link,
  reportError,
  type ScriptRunner,
  setDevelopment,
} from '@sallyport/protocol/internal'
import { startWorkerActor } from '@sallyport/protocol/internal/actor'
import { Client } from '../client/client.js'
import { setCurrentClient } from '../client/current-client.js'

/** The connection of a frontend to its host, and what only the entry of a thread can load. */
export interface FrontendHost {
  report(report: FrontendReport): void
  onCommand(handle: (command: HostCommand) => void): void
  /** Loads the functions that a script gets, which a module would import. */
  loadFunctions(): Promise<FrontendFunctions>
}

/** The module runs once the first link is open. A later link replaces the link before. */
export type HostCommand = { type: 'link'; link: Link } | { type: 'stop' }

export function startFrontend(
  { module, development, sourceMaps, sandbox, runner, ...options }: FrontendStart,
  host: FrontendHost,
): void {
  let script: FrontendScript | undefined
  let firstLink: Link
  let client: Client | undefined
  const linked = new Promise<void>(resolve => {
    host.onCommand(command => {
      if (command.type === 'stop') return actor.stop()
      if (client) return void client.reconnect(command.link)
      firstLink = command.link
      resolve()
    })
  })

  const actor = startWorkerActor({
    async boot() {
      setDevelopment(development)
      if (sourceMaps) process.setSourceMapsEnabled(true)
      explainUnhandledRejections()
      if (!sandbox) return
      const { enterSandbox } = await import('./enter-sandbox.js')
      const readableDirectory = enterSandbox(sandbox)
      if (runner !== undefined) script = await loadScript(runner, module)
      // A script cannot read files at all.
      else if (readableDirectory !== undefined) host.report({ type: 'unexpected-read', directory: readableDirectory })
    },
    handshake: () => linked,
    serve(send) {
      client = new Client(firstLink, { ...options, reconnects: true })
      setCurrentClient(client)
      void client.closed.then(() => send({ type: 'link.closed' }))
      const loaded = script
        ? host.loadFunctions().then(functions => script!.run(functions, error => send({ type: 'fault', error })))
        : import(/* webpackIgnore: true */ /* @vite-ignore */ module)
      client.whileLoading(loaded)
      loaded.then(
        () => host.report({ type: 'loaded' }),
        (error: unknown) => send({ type: 'fault', error: explainLoadError(error, sandbox !== undefined) }),
      )
      return () => void client?.close()
    },
    async drain() {
      // Messages that arrived before the command to stop are handled: the loop polls every port within two ticks.
      await nextTick()
      await nextTick()
      // Calls in flight settle before the thread ends.
      await client?.close()
    },
    onState(state, error) {
      host.report({ type: 'state', state, ...(error !== undefined && { error: reportError(error) }) })
      if (state === 'stopped' || state === 'failed') setImmediate(() => process.exit(state === 'failed' ? 1 : 0))
    },
  })
}

async function loadScript(runner: string, module: string): Promise<FrontendScript> {
  const loaded = (await import(/* webpackIgnore: true */ /* @vite-ignore */ runner)) as ScriptRunner
  return loaded.loadScript(module)
}

function explainLoadError(error: unknown, isSandboxed: boolean): unknown {
  const explained = explainTypeScript(error)
  return isSandboxed ? explainDenied(explained) : explained
}

/**
 * Explains that the sandbox kept a module from loading: Node's error does not contain what was denied, and suggests a flag that no
 * frontend has. Returns other errors unchanged.
 */
export function explainDenied(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, resource, ...denial } = error as Error & Record<'code' | 'permission' | 'resource', unknown>
  // An error of a socket does not contain the permission.
  const permission = error.message.includes('--allow-net') ? 'Net' : denial.permission
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    const problem = `${error.message}: the host's loaders are not available in a frontend's sandbox`
    return new BusError('InternalError', problem, { cause: error })
  }
  // An error of a function that the sandbox itself replaces has a clear message already.
  if (code !== 'ERR_ACCESS_DENIED' || typeof permission !== 'string') return error
  const denied = [permission, ...(typeof resource === 'string' && resource !== '' ? [resource] : [])].join(' of ')
  const grant = getGrant(permission, resource)
  if (grant === undefined)
    return new BusError('InternalError', `The sandbox denies ${denied}: see docs/reference/security.md`, {
      cause: error,
    })
  const option = `sandbox: { kind: '${isMainThread ? 'process' : 'permission'}', ${grant} }`
  const text = `The sandbox denies ${denied}. Allow it with ${option} (docs/reference/security.md)`
  return new BusError('InternalError', text, { cause: error })
}

/** Returns the option that grants a permission of Node's, if there is one. */
function getGrant(permission: string, resource: unknown): string | undefined {
  if (permission === 'FileSystemRead') return `read: [${JSON.stringify(resource)}]`
  return permission === 'Net' ? 'net: true' : undefined
}

/** Adds the most likely cause to the error of a call that was not awaited, before it ends the thread. */
function explainUnhandledRejections(): void {
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    if (origin !== 'unhandledRejection' || !isBusError(error)) return
    const { message, stack } = error
    error.message += ' (this rejection was not caught: is an `await` missing?)'
    if (stack !== undefined) error.stack = stack.replace(message, () => error.message)
  })
}
