// The lifecycle of a frontend in a worker or a process: creates the thread's client, then loads the user's module or script.
import { isMainThread } from 'node:worker_threads'
import type {
  FrontendFunctions,
  FrontendReport,
  FrontendScript,
  FrontendStart,
  InitScript,
  Link,
  ScriptRunner,
  ScriptThread,
} from '@sallyport/protocol/internal'
import {
  BusError,
  CommandError,
  explainTypeScript,
  isBusError,
  reportError,
  setDevelopment,
  startWorkerActor,
  toBusError,
} from '@sallyport/protocol/internal'
import { Client } from '../client/client.js'
import { setCurrentClient } from '../client/current-client.js'
import { setInitScripts } from '../client/init-scripts.js'
import { boundOutput } from './bound-output.js'
import { enterSandbox } from './enter-sandbox.js'
import { explainSandboxDenial, setSandboxKind } from './sandbox-denial.js'
import type { loadTextModule } from './text-module.js'

/** The connection of a frontend to its host, and what only the entry of a thread can load. */
export interface HostConnection {
  report(report: FrontendReport): void
  onCommand(handle: (command: HostCommand) => void): void
  /** Loads the functions that a script gets, which a module would import. */
  loadFunctions(): Promise<FrontendFunctions>
  /** Set if the thread has other scripts. */
  group?: GroupMember
}

/** A script's part of a thread with several scripts. */
export interface GroupMember extends ScriptThread {
  /** Called when the host ends the script without waiting for it. */
  onTerminate(handle: () => void): void
  /** Ends the script, after its output. */
  exit(code: number): void
}

const nextTick = (): Promise<void> => new Promise(resolve => void setImmediate(resolve))

/** A thread that has a single script. */
const ownThread: ScriptThread = {
  onUncaught(handle) {
    // Node would print thrown values, and call their methods with functions of its own.
    for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, handle)
  },
  print: (stream, text) => void process[stream].write(text),
}

/** The result of `enterSandbox`, which a thread enters once. */
let entered: Promise<string | undefined> | undefined

/** The module runs once the first link is open. A later link replaces the link before. */
export type HostCommand = { type: 'link'; link: Link; scripts: readonly InitScript[] } | { type: 'stop' }

export function startFrontend(
  { module, text, script: content, development, sourceMaps, sandbox, runner, ...options }: FrontendStart,
  host: HostConnection,
): void {
  let script: FrontendScript | undefined
  let loadText: typeof loadTextModule | undefined
  let firstLink: Link
  let lastLink: Link | undefined
  let client: Client | undefined
  const linked = new Promise<void>(resolve => {
    host.onCommand(command => {
      if (command.type === 'stop') return actor.stop()
      lastLink = command.link
      if (client) return void client.reconnect(command.link)
      firstLink = command.link
      setInitScripts(command.scripts)
      resolve()
    })
  })

  function load(onFault: (error: Error) => void): Promise<unknown> {
    if (script) {
      const { run } = script
      return host
        .loadFunctions()
        .then(functions =>
          host.group ? run(bindFunctions(functions, client!), host.group, onFault) : run(functions, ownThread, onFault),
        )
    }
    if (loadText) return loadText(module, text!, host.loadFunctions)
    return import(/* webpackIgnore: true */ /* @vite-ignore */ module)
  }

  const actor = startWorkerActor({
    async boot() {
      setDevelopment(development)
      if (sourceMaps) process.setSourceMapsEnabled(true)
      if (!host.group) explainUncaughtErrors()
      // The system bounds the pipes of a process, and a group the output of each of its scripts.
      for (const output of isMainThread || host.group ? [] : [process.stdout, process.stderr]) {
        boundOutput(output, characters => host.report({ type: 'output-dropped', characters }))
      }
      if (!sandbox) return
      setSandboxKind(isMainThread ? 'process' : 'permission', sandbox.closesNet)
      // It removes classes of Node, so it comes before the sandbox and the frontend's code.
      if (text && runner === undefined) loadText = (await import('./text-module.js')).loadTextModule
      const readableDirectory = await (entered ??= enterSandbox(sandbox))
      if (runner !== undefined) {
        const { loadScript } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ runner)) as ScriptRunner
        script = await loadScript(module, text, content)
      }
      // A script cannot read files at all.
      else if (readableDirectory !== undefined) host.report({ type: 'unexpected-read', directory: readableDirectory })
    },
    handshake: () => linked,
    serve(send) {
      client = new Client(firstLink, { ...options, toError: toErrorOfFunction, reconnects: true })
      if (!host.group) setCurrentClient(client)
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
      if (state !== 'stopped' && state !== 'failed') return
      const code = state === 'failed' ? 1 : 0
      if (host.group) void leaveGroup(code)
      else void exit(code)
    },
  })

  /** Releases what the thread would keep for the script. */
  function release(): void {
    script?.stop()
    void client?.close()
    lastLink?.close()
  }

  async function leaveGroup(code: number): Promise<void> {
    await nextTick()
    release()
    host.group!.exit(code)
  }

  host.group?.onTerminate(release)
}

/** Returns the functions for one of several clients of this thread, which otherwise find the thread's only one. */
function bindFunctions(functions: FrontendFunctions, client: Client): FrontendFunctions {
  const names = ['expose', 'stream', 'invoke', 'emit', 'emitTo', 'listen', 'once'] as const
  const methods = client as unknown as Record<string, (...args: unknown[]) => unknown>
  const bound = names.map(name => [name, (...args: unknown[]) => methods[name]!(...args)])
  const labelAndData = { getLabel: () => client.label, getData: () => client.data }
  return { ...functions, ...(Object.fromEntries(bound) as Partial<FrontendFunctions>), ...labelAndData }
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
      // The other lines of a denial repeat the first.
      const [summary = ''] = error.message.split('\n')
      setMessage(error, `${summary} (this rejection was not caught: is an \`await\` missing?)`)
    } else if (origin === 'unhandledRejection' && isThrownValue(error)) {
      setMessage(
        error,
        `A promise was rejected with a value that is not an Error${getThrownValue(error)}. ${THROW_ERRORS}`,
      )
      error.stack = `Error: ${error.message}`
    }
  })
}

const THROW_ERRORS = 'Reject with an Error, whose stack has the file and line'

/** True for the error that Node creates for a rejection with any other value. Its stack has frames of Node alone. */
const isThrownValue = (error: Error): boolean => (error as NodeJS.ErrnoException).code === 'ERR_UNHANDLED_REJECTION'

/** Returns the value as Node describes it, which is `#<Object>` for an object. */
const getThrownValue = ({ message }: Error): string => {
  const [, value] = /with the reason "([^]*)"\.$/.exec(message) ?? []
  return value === undefined ? '' : `: ${value}`
}

function setMessage(error: Error, message: string): void {
  const { message: before, stack } = error
  error.message = message
  if (stack !== undefined) error.stack = stack.replace(before, () => message)
}
