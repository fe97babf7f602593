// The life of a frontend, wherever its code runs: makes the client of this thread, then loads the user's module. The entries
// beside this, worker.ts and process.ts, know how the host is spoken to.
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  BusError,
  explainTypeScript,
  type FrontendReport,
  type FrontendScript,
  type FrontendStart,
  isBusError,
  type Link,
  reportError,
  type ScriptRunner,
} from '@sallyport/protocol'
import { startWorkerActor } from '@sallyport/protocol/actor'
import { Client } from '../client/client.js'
import { setCurrentClient } from '../client/current-client.js'
import { throughGate } from '../client/gated-link.js'

// Says why a module did not load where its sandbox is the reason. Node says that something was denied, not what, and names a
// flag for it that no frontend has.

/** Other errors are given back as they are. */
export function explainDenied(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, permission, resource } = error as Error & Record<'code' | 'permission' | 'resource', unknown>
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    const problem = `${error.message}: the host’s loaders are not there in a frontend’s sandbox`
    return new BusError('InternalError', problem, { cause: error })
  }
  // What Sallyport itself takes away has a name in its message.
  if (code !== 'ERR_ACCESS_DENIED' || typeof permission !== 'string') return error
  const what = [permission, ...(typeof resource === 'string' && resource !== '' ? [resource] : [])].join(' of ')
  const remedy = permission === 'FileSystemRead' ? '; `read` of the option `sandbox` grants more' : ''
  return new BusError('InternalError', `The sandbox denies ${what}${remedy}: see docs/security.md`, { cause: error })
}

// A call that nobody awaits and that fails ends its thread as a rejection that nobody has caught: the most usual reason is said.

function explainUnhandledRejection(): void {
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    if (origin === 'unhandledRejection' && isBusError(error))
      error.message += ' (nobody caught this rejection: is an `await` missing?)'
  })
}

/** What is around a frontend. */
export interface Surroundings {
  tell(report: FrontendReport): void
  hear(take: (command: FrontendOrder) => void): void
}

/** With the first link its module may run; each later one takes the place of that before. */
export type FrontendOrder = { type: 'link'; core: Link; gate: Link | undefined } | { type: 'stop' }

export function startFrontend(
  { label, codec, module, data, timeout, window, overflow, deadlines, sourceMaps, sandbox, runner }: FrontendStart,
  around: Surroundings,
): void {
  let script: FrontendScript | undefined
  /** The first; it can't be used before there is a client. */
  let first: Link
  let client: Client | undefined
  const linked = new Promise<void>(resolve => {
    around.hear(order => {
      if (order.type === 'stop') return actor.stop()
      const link = order.gate ? throughGate(order.core, order.gate) : order.core
      if (client) return void client.reconnect(link)
      first = link
      resolve()
    })
  })

  const actor = startWorkerActor({
    async boot() {
      if (sourceMaps) process.setSourceMapsEnabled(true)
      explainUnhandledRejection()
      if (!sandbox) return
      const { enterSandbox } = await import('./enter-sandbox.js')
      const folder = enterSandbox(sandbox)
      if (runner !== undefined)
        script = await ((await import(/* webpackIgnore: true */ /* @vite-ignore */ runner)) as ScriptRunner).loadScript(
          module,
        )
      // A script can read nothing at all.
      else if (folder !== undefined) around.tell({ type: 'stray-read', folder })
    },
    handshake: () => linked,
    serve(send) {
      client = new Client(first, { label, codec, data, timeout, window, overflow, deadlines, reconnects: true })
      setCurrentClient(client)
      void client.closed.then(() => send({ type: 'link.closed' }))
      const loaded = script
        ? runScript(script, error => send({ type: 'fault', error }))
        : import(/* webpackIgnore: true */ /* @vite-ignore */ module)
      client.whileLoading(loaded)
      loaded.catch((error: unknown) => send({ type: 'fault', error: explainLoading(error, sandbox !== undefined) }))
      return () => void client?.close()
    },
    async drain() {
      // What had arrived before the word to stop is taken: it takes the loop a turn to come to every port.
      await nextTurn()
      await nextTurn()
      // Calls in flight settle before the thread ends.
      await client?.close()
    },
    entered(state, error) {
      around.tell({ type: 'state', state, ...(error !== undefined && { error: reportError(error) }) })
      if (state === 'stopped' || state === 'failed') setImmediate(() => process.exit(state === 'failed' ? 1 : 0))
    },
  })
}

function explainLoading(error: unknown, inSandbox: boolean): unknown {
  const explained = explainTypeScript(error)
  return inSandbox ? explainDenied(explained) : explained
}

/** Scripts get what a module would import. */
async function runScript(loaded: FrontendScript, fault: (error: Error) => void): Promise<void> {
  await loaded.run(await import('../index.js'), fault)
}
