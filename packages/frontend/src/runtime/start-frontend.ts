// The lifecycle of a frontend in a worker or a process: creates the thread's client, then loads the user's module or script.
import type { Writable } from 'node:stream'
import { isMainThread } from 'node:worker_threads'
import {
  type FrontendFunctions,
  type FrontendReport,
  type FrontendScript,
  type FrontendStart,
  type InitScript,
  MAX_UNHANDLED,
  Output,
  type OutputRequest,
  type Question,
  type ScriptThread,
  serveLife,
  type SuspendedScript,
} from '@sallyport/protocol/internal/contract'
import type { Link } from '@sallyport/protocol/internal/wire'
import {
  BusError,
  CommandError,
  createUnsentError,
  describeThrown,
  explainTypeScript,
  isBusError,
  reportError,
  toBusError,
} from '@sallyport/protocol/internal/errors'
import { waitForLastCalls } from '@sallyport/protocol/internal/rpc'
import { assertNever, onNextTick, readStack, setDevelopment, Throttle } from '@sallyport/protocol/internal/util'
import { Client } from '../client/client.js'
import { setCurrentClient } from '../client/current-client.js'
import { enterSandboxOnce } from './enter-sandbox.js'
import { setInitScripts } from './init-scripts.js'
import { explainSandboxDenial } from './sandbox-denial.js'
import { useBroker } from './network/use-broker.js'
import { takeStreams } from './thread-output.js'
import type { loadTextModule } from './text-module.js'

/** The connection of a frontend to its host, and what only the entry of a thread can load. */
export interface HostConnection {
  report(report: FrontendReport): void
  /** The pipe of the reports of a process, which can be full. */
  pipe?: Writable
  onCommand(handle: (command: HostCommand) => void): void
  /** Loads the functions that code as text gets, which a module would import. A thread of scripts has none. */
  loadFunctions?(): Promise<FrontendFunctions>
  /** Set if the thread can have other scripts. */
  group?: GroupMember
}

/** A script's part of a thread with several scripts. */
export interface GroupMember extends Pick<ScriptThread, 'onEnter' | 'isTerminated'> {
  /** Called when the host ends the script without waiting for it. */
  onTerminate(handle: () => void): void
  /** Ends the script. */
  exit(code: number): void
}

const RUN = 'bus.run'

const nextTick = (): Promise<void> => new Promise(onNextTick)

/** The module runs once the first link is open. A later link replaces the link before. */
export type HostCommand =
  | { type: 'link'; link: Link; scripts: readonly InitScript[] }
  | Question
  | OutputRequest
  | { type: 'stop' }

export function startFrontend(
  {
    module,
    text,
    script: content,
    development,
    sourceMaps,
    sandbox,
    runner,
    engine,
    snapshot,
    env,
    broker,
    ...options
  }: FrontendStart,
  host: HostConnection,
): void {
  let script: FrontendScript | undefined
  let loadText: typeof loadTextModule | undefined
  let firstLink: Link
  let lastLink: Link | undefined
  let client: Client | undefined
  let closing: Promise<void> | undefined
  /** A script has a client of its own, in its VM. */
  let isScriptOpen = false
  /** The script has answered `bus.run`. */
  let hasAnswered = false
  const unsent = new Throttle<undefined>((_, more) => host.report({ type: 'unsent', count: more + 1 }), 1)
  /** The system bounds the pipes of a process. */
  const output = isMainThread && !host.group ? undefined : new Output(text => host.report(text))
  const linked = new Promise<void>(resolve => {
    host.onCommand(command => {
      switch (command.type) {
        case 'stop':
          return stop()
        case 'ask':
          return host.report({ type: 'answer' })
        case 'read':
          return output?.read(command.stream)
        case 'link':
          lastLink = command.link
          if (client) return void Client.reconnect(client, command.link)
          if (isScriptOpen) return script!.reconnect(command.link)
          firstLink = command.link
          setInitScripts(globalThis, () => command.scripts)
          return resolve()
        default:
          return assertNever(command)
      }
    })
  })

  const ownEnds = {
    suspended: (suspendedScript: SuspendedScript): void => host.report({ type: 'suspended', ...suspendedScript }),
    ...(text?.wrapper && {
      unhandled,
      handled: (promise: unknown): void => void rejections.delete(promise),
    }),
  }
  /** What promises of the code of `bus.run` have rejected with, until it handles that. */
  const rejections = new Map<unknown, unknown>()
  function unhandled(promise: unknown, reason: unknown): void {
    // The end of its link ends the run, too. An interruption after its return is none.
    const isOfRun = isBusError(reason, 'Disconnected') || isBusError(reason, 'Interrupted')
    if (!isOfRun && rejections.size < MAX_UNHANDLED) rejections.set(promise, reason)
  }

  /** Waits for the calls that the code of `bus.run` has not awaited, and for those that it makes then. */
  async function endRun(running: unknown): Promise<unknown> {
    try {
      return await running
    } finally {
      await waitForLastCalls(Client.getParts(client!).connection.pending)
    }
  }

  /** Returns the functions of the code. */
  async function loadFunctions(): Promise<FrontendFunctions> {
    const functions = await host.loadFunctions!()
    if (!text?.wrapper) return functions
    const exposeAll = functions.expose as (exposed: unknown) => unknown
    const expose = (exposed: unknown): unknown => {
      const { [RUN]: run, ...others } = Object(exposed) as Record<string, (...call: unknown[]) => unknown>
      return exposeAll(run ? { ...others, [RUN]: (...call: unknown[]) => endRun(run(...call)) } : exposed)
    }
    return { ...functions, expose }
  }

  async function load(): Promise<unknown> {
    if (loadText) return loadText(module, text!, loadFunctions, host.loadFunctions!)
    return import(/* webpackIgnore: true */ /* @vite-ignore */ module)
  }

  /** Closes the link. Resolves once all that the code has sent has left. @throws {BusError} Timeout if core takes it no more */
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await (script ?? client)!.close()
      const unsent = lastLink?.unsent ?? 0
      if (unsent > 0) throw createUnsentError(unsent)
    })())

  const stop = serveLife({
    async boot() {
      setDevelopment(development)
      if (sourceMaps) process.setSourceMapsEnabled(true)
      if (!host.group) explainUncaughtErrors()
      if (text?.wrapper && runner === undefined) {
        process.on('unhandledRejection', (reason, promise) => unhandled(promise, reason))
        process.on('rejectionHandled', ownEnds.handled!)
      }
      if (output && !host.group) takeStreams(output)
      if (!sandbox) return
      const hasText = text !== undefined && runner === undefined
      const thread = await enterSandboxOnce({ sandbox, hasText, runner })
      if (sandbox.hasBroker) useBroker(env ?? {}, broker)
      loadText = thread.loadText
      script = await thread.runner?.loadScript(module, text, content, {
        engine,
        snapshot,
        network: sandbox.hasBroker ? { fetch, env: env ?? {} } : undefined,
      })
      // A script cannot read files at all.
      if (script || thread.readableDirectory === undefined) return
      host.report({ type: 'unexpected-read', directory: thread.readableDirectory })
    },
    handshake: () => linked,
    serve(end, fail) {
      const onUnsent = (): void => unsent.add(undefined)
      const onLoaded = (): void => host.report({ type: 'loaded' })
      const onSynchronized = (): void => host.report({ type: 'synchronized' })
      const onLoadError = (error: unknown): void => fail(explainLoadError(error, sandbox !== undefined))
      if (script) {
        isScriptOpen = true
        const thread: ScriptThread = {
          print(stream, text) {
            if (output) output.print(stream, text)
            else process[stream].write(text)
          },
          ...host.group,
          ...ownEnds,
          unsent: onUnsent,
          synchronized: onSynchronized,
          // Before the host has read the answer: a message less to wait for.
          answered() {
            hasAnswered = true
            stop()
          },
        }
        // What the code of `bus.run` left running cannot fail it any more.
        const loaded = script.run(firstLink, options, thread, error => !hasAnswered && fail(error))
        loaded.then(() => {
          onLoaded()
          // Nobody waits for what `bus.run` has emitted.
          if (text?.wrapper) onSynchronized()
        }, onLoadError)
        return close
      }
      client = new Client(firstLink, { ...options, toError: toErrorOfFunction, reconnects: true, onUnsent })
      setCurrentClient(client)
      void client.closed.then(end)
      const loaded = load()
      Client.getParts(client).functions.waitFor(loaded)
      loaded.then(() => {
        onLoaded()
        if (text?.wrapper) return onSynchronized()
        void Client.getParts(client!).connection.synchronize().then(onSynchronized)
      }, onLoadError)
      return close
    },
    async drain() {
      // Messages that arrived before the command to stop are handled: the loop polls every port within two ticks.
      await nextTick()
      await nextTick()
      // Calls in flight settle before the thread ends.
      await close()
      for (const reason of rejections.values())
        host.report({ type: 'unhandled', error: reportError(toErrorOfFunction(RUN, reason)) })
    },
    onState(state, error) {
      if (state === 'stopped' || state === 'failed') unsent.flush()
      host.report({ type: 'state', state, ...(error !== undefined && { error: reportError(error) }) })
      if (state !== 'stopped' && state !== 'failed') return
      const code = state === 'failed' ? 1 : 0
      if (host.group) void leaveGroup(code)
      else void exit(code, host.pipe)
    },
  })

  /** Releases what the thread would keep for the script, after its output. */
  function release(): void {
    output!.flush()
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

/** Ends the thread, or the process once it has written its output and its reports: a full pipe takes the rest later. */
async function exit(code: number, reports: Writable | undefined): Promise<never> {
  await nextTick()
  for (const pipe of reports ? [process.stdout, process.stderr, reports] : []) {
    if (pipe.writableLength > 0) await new Promise(resolve => pipe.write('', resolve))
  }
  process.exit(code)
}

/** Names the option that allows what the sandbox denied: the error is for the host, which may see paths. */
function toErrorOfFunction(name: string, thrown: unknown): BusError {
  try {
    const denial = explainSandboxDenial(thrown)
    if (denial !== undefined) return new CommandError('ERR_ACCESS_DENIED', denial, { cause: thrown })
    // An error of a command has neither the system call nor the path.
    if (isSystemError(thrown)) {
      const { message } = thrown
      return new BusError('CommandFailed', message, { data: message, cause: thrown })
    }
  } catch {
    // A proxy or a getter threw.
  }
  return toBusError(name, thrown)
}

/** True for an error of the operating system about a file or a connection, such as `ENOENT: no such file or directory, open '/a'`. */
const isSystemError = (thrown: unknown): thrown is Error =>
  thrown instanceof Error &&
  typeof (thrown as NodeJS.ErrnoException).errno === 'number' &&
  typeof (thrown as NodeJS.ErrnoException).syscall === 'string' &&
  !('spawnargs' in thrown)

function explainLoadError(error: unknown, isSandboxed: boolean): unknown {
  const explained = explainTypeScript(error)
  if (explained !== error) return explained
  if (isOwnPackageMissing(error)) {
    setMessage(error, `${error.message.split('\n')[0]}. ${MISSING_PACKAGE_REMEDY}`)
    // All frames are those of Node's loader.
    error.stack = `Error: ${error.message}`
  }
  const remedy = getImportRemedy(error)
  if (remedy !== undefined) return new BusError('LoadFailed', remedy, { cause: error })
  // Code as text has the same reason. The host finds the place by the stack of the cause.
  if (isSyntaxError(error)) return new BusError('LoadFailed', error.message, { cause: error })
  if (!isSandboxed) return toLoadError(error)
  const denial = isUnknownExtension(error)
    ? `${error.message}: the host's loaders are not available in a frontend's sandbox`
    : explainSandboxDenial(error)
  return denial === undefined ? toLoadError(error) : new BusError('LoadFailed', denial, { cause: error })
}

function toLoadError(error: unknown): BusError {
  if (isBusError(error)) return error
  const failure = new BusError('LoadFailed', describeThrown(error))
  if (readStack(error) !== '') failure.stack = readStack(error)
  return failure
}

/** True if the module cannot be parsed or linked, and false for a `SyntaxError` that its code throws, such as that of `JSON.parse`. */
function isSyntaxError(error: unknown): error is SyntaxError {
  if (!(error instanceof SyntaxError)) return false
  const [frame] = /^ +at .+/m.exec(readStack(error)) ?? []
  return frame === undefined || frame.includes('node:internal/modules/')
}

const MISSING_PACKAGE_REMEDY =
  'Move the module below a directory whose node_modules has @sallyport/frontend, or bundle it with that package'

/** True if a module outside of any `node_modules` imports or requires Sallyport. */
const isOwnPackageMissing = (error: unknown): error is Error =>
  error instanceof Error && /^Cannot find (?:package|module) '@sallyport\/frontend[/']/.test(error.message)

/** Returns what to import instead, if a module imports what belongs into the host or into another library's worker. */
function getImportRemedy(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { message } = error
  const { code, resource } = error as { code?: unknown; resource?: unknown }
  // A wall hides the file.
  const file = code === 'ERR_ACCESS_DENIED' ? resource : /^Cannot find module '([^']+)'/.exec(message)?.[1]
  if (MISSING_CORE.test(message) || CORE_FILE.test(String(file)))
    return "A frontend cannot import @sallyport/core, which is for the host. Import from '@sallyport/frontend' instead"
  const [, other] = /^Cannot find (?:package|module) '(electron|comlink)'/.exec(message) ?? []
  if (other !== undefined)
    return `${message}. Instead of ${other}, use \`invoke\` and \`expose\` of @sallyport/frontend`
  if (message === 'require is not defined') return `${message} in an ES module. Use import instead`
  if (message === 'window is not defined' && /[\\/]@tauri-apps[\\/]/.test(readStack(error)))
    return `${message}. Before @tauri-apps/api, import '@sallyport/frontend/tauri'`
  return undefined
}

const MISSING_CORE = /^Cannot find (?:package|module) '@sallyport\/core[/']/
const CORE_FILE = /[\\/](?:@sallyport|packages)[\\/]core[\\/](?:dist[\\/].*|package\.json)$/

const isUnknownExtension = (error: unknown): error is Error =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION'

/** Adds to an error that ends the thread what the sandbox denied, and that an `await` might be missing, before it is reported. */
function explainUncaughtErrors(): void {
  process.prependListener('uncaughtExceptionMonitor', (error, origin) => {
    const denial = explainSandboxDenial(error)
    if (denial !== undefined) setMessage(error, denial)
    else if (origin === 'unhandledRejection' && isBusError(error)) {
      // The host has logged how to allow what was denied.
      const [, denied] = (error.reason === 'Denied' && /^Command (\S+) not allowed by ACL/.exec(error.message)) || []
      const summary = `${error.message.split('\n')[0]} (this rejection was not caught: is an \`await\` missing?)`
      setMessage(error, denied === undefined ? summary : `Uncaught denial of ${denied}: is an \`await\` missing?`)
    } else if (origin === 'unhandledRejection' && isThrownValue(error)) {
      // Node describes an object as `#<Object>`.
      const [, value] = /with the reason "([^]*)"\.$/.exec(error.message) ?? []
      const what = value === undefined ? '' : `: ${value}`
      const remedy = 'Reject with an Error, whose stack has the file and line'
      setMessage(error, `A promise was rejected with a value that is not an Error${what}. ${remedy}`)
      error.stack = `Error: ${error.message}`
      // It is Node's for the error around the value.
      Reflect.deleteProperty(error, 'code')
    }
  })
}

/** True for the error that Node creates for a rejection with any other value. Its stack has frames of Node alone. */
const isThrownValue = (error: Error): boolean => (error as NodeJS.ErrnoException).code === 'ERR_UNHANDLED_REJECTION'

function setMessage(error: Error, message: string): void {
  const { message: before } = error
  const stack = readStack(error)
  error.message = message
  if (stack !== '') error.stack = stack.replace(before, () => message)
}
