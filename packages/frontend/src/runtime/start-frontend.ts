// The lifecycle of a frontend in a worker or a process: creates the thread's client, then loads the user's module or script.
import { setImmediate as nextTick } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import type {
  FrontendFunctions,
  FrontendReport,
  FrontendScript,
  FrontendStart,
  InitScript,
  Link,
  ScriptRunner,
} from '@sallyport/protocol/internal'
import {
  BusError,
  CommandError,
  explainTypeScript,
  isBusError,
  reportError,
  setDevelopment,
  toBusError,
} from '@sallyport/protocol/internal'
import { startWorkerActor } from '@sallyport/protocol/internal/actor'
import { Client } from '../client/client.js'
import { setCurrentClient } from '../client/current-client.js'
import { setInitScripts } from '../client/init-scripts.js'
import { explainSandboxDenial, setSandboxKind } from './sandbox-denial.js'
import type { loadTextModule } from './text-module.js'

/** The connection of a frontend to its host, and what only the entry of a thread can load. */
export interface HostConnection {
  report(report: FrontendReport): void
  onCommand(handle: (command: HostCommand) => void): void
  /** Loads the functions that a script gets, which a module would import. */
  loadFunctions(): Promise<FrontendFunctions>
}

/** The module runs once the first link is open. A later link replaces the link before. */
export type HostCommand = { type: 'link'; link: Link; scripts: readonly InitScript[] } | { type: 'stop' }

export function startFrontend(
  { module, text, development, sourceMaps, sandbox, runner, ...options }: FrontendStart,
  host: HostConnection,
): void {
  let script: FrontendScript | undefined
  let loadText: typeof loadTextModule | undefined
  let firstLink: Link
  let client: Client | undefined
  const linked = new Promise<void>(resolve => {
    host.onCommand(command => {
      if (command.type === 'stop') return actor.stop()
      if (client) return void client.reconnect(command.link)
      firstLink = command.link
      setInitScripts(command.scripts)
      resolve()
    })
  })

  function load(onFault: (error: Error) => void): Promise<unknown> {
    if (script) return host.loadFunctions().then(functions => script!.run(functions, onFault))
    if (loadText) return loadText(module, text!, host.loadFunctions)
    return import(/* webpackIgnore: true */ /* @vite-ignore */ module)
  }

  const actor = startWorkerActor({
    async boot() {
      setDevelopment(development)
      if (sourceMaps) process.setSourceMapsEnabled(true)
      explainUncaughtErrors()
      if (!sandbox) return
      setSandboxKind(isMainThread ? 'process' : 'permission', sandbox.closesNet)
      // It removes classes of Node, so it comes before the sandbox and the frontend's code.
      if (text && runner === undefined) loadText = (await import('./text-module.js')).loadTextModule
      const { enterSandbox } = await import('./enter-sandbox.js')
      const readableDirectory = await enterSandbox(sandbox)
      if (runner !== undefined) {
        const { loadScript } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ runner)) as ScriptRunner
        script = await loadScript(module, text)
      }
      // A script cannot read files at all.
      else if (readableDirectory !== undefined) host.report({ type: 'unexpected-read', directory: readableDirectory })
    },
    handshake: () => linked,
    serve(send) {
      client = new Client(firstLink, { ...options, toError: toErrorOfFunction, reconnects: true })
      setCurrentClient(client)
      void client.closed.then(() => send({ type: 'link.closed' }))
      const loaded = load(error => send({ type: 'fault', error }))
      client.whileLoading(loaded)
      loaded.then(
        () => {
          host.report({ type: 'loaded' })
          void client!.synchronize().then(() => host.report({ type: 'synchronized' }))
        },
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
      if (state === 'stopped' || state === 'failed') void exit(state === 'failed' ? 1 : 0)
    },
  })
}

/** Ends the thread, or the process once it has written its output: a full pipe takes the rest later. */
async function exit(code: number): Promise<never> {
  await nextTick()
  for (const output of isMainThread ? [process.stdout, process.stderr] : []) {
    if (output.writableLength > 0) await new Promise(resolve => output.write('', resolve))
  }
  process.exit(code)
}

/** Names the option that allows what the sandbox denied: the error is for the host, which may see paths. */
function toErrorOfFunction(name: string, thrown: unknown): BusError {
  const denial = explainSandboxDenial(thrown)
  if (denial === undefined) return toBusError(name, thrown)
  return new CommandError('ERR_ACCESS_DENIED', denial, { cause: thrown })
}

/** Explains why a module was not loaded, if the cause is TypeScript, a loader of the host, or the sandbox. Returns other errors unchanged. */
function explainLoadError(error: unknown, isSandboxed: boolean): unknown {
  const explained = explainTypeScript(error)
  if (explained !== error) return explained
  if (isOwnPackageMissing(error)) setMessage(error, `${error.message.split('\n')[0]}. ${MISSING_PACKAGE_REMEDY}`)
  if (!isSandboxed) return error
  const denial = isUnknownExtension(error)
    ? `${error.message}: the host's loaders are not available in a frontend's sandbox`
    : explainSandboxDenial(error)
  return denial === undefined ? error : new BusError('InternalError', denial, { cause: error })
}

const MISSING_PACKAGE_REMEDY =
  'Move the module below a directory whose node_modules has @sallyport/frontend, or bundle it with that package'

/** True if a module outside of any `node_modules` imports or requires Sallyport. */
const isOwnPackageMissing = (error: unknown): error is Error =>
  error instanceof Error && /^Cannot find (?:package|module) '@sallyport\/frontend[/']/.test(error.message)

const isUnknownExtension = (error: unknown): error is Error =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION'

/** Adds to an error that ends the thread what the sandbox denied, and that an `await` might be missing, before it is reported. */
function explainUncaughtErrors(): void {
  process.prependListener('uncaughtExceptionMonitor', (error, origin) => {
    const denial = explainSandboxDenial(error)
    if (denial !== undefined) setMessage(error, denial)
    else if (origin === 'unhandledRejection' && isBusError(error)) {
      setMessage(error, `${error.message} (this rejection was not caught: is an \`await\` missing?)`)
    }
  })
}

function setMessage(error: Error, message: string): void {
  const { message: before, stack } = error
  error.message = message
  if (stack !== undefined) error.stack = stack.replace(before, () => message)
}
