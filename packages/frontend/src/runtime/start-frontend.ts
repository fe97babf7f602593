// The lifecycle of a frontend in a worker or a process: creates the thread's client, then loads the user's module or script.
import type { Writable } from 'node:stream'
import { isMainThread } from 'node:worker_threads'
import {
  type FrontendFunctions,
  type FrontendReport,
  type FrontendScript,
  type FrontendStart,
  type InitScript,
  type LifecycleState,
  MAX_UNHANDLED,
  Output,
  type OutputRequest,
  type Question,
  type ScriptThread,
  serveLife,
} from '@sallyport/protocol/internal/contract'
import { RUN_METHOD } from '@sallyport/protocol/internal/message'
import { type Link, MAX_WAITING_OUTPUT } from '@sallyport/protocol/internal/wire'
import { createUnsentError, isBusError, reportError } from '@sallyport/protocol/internal/errors'
import { waitForLastCalls } from '@sallyport/protocol/internal/rpc'
import { assertNever, createDeferred, onNextTick, setDevelopment, Throttle } from '@sallyport/protocol/internal/util'
import { Client } from '../client/client.js'
import { setCurrentClient } from '../client/current-client.js'
import { synchronize } from '../client/synchronize.js'
import { enterSandboxOnce } from './enter-sandbox.js'
import { setInitScripts } from './init-scripts.js'
import { explainLoadError, explainUncaughtErrors, toErrorOfFunction } from './explain-errors.js'
import { createDenoFetch, IS_DENO } from './deno.js'
import { useBroker } from './network/use-broker.js'
import { takeStreams } from './thread-output.js'
import type { loadTextModule } from './text-module.js'

/** The connection of a frontend to its host, and what only the entry of a thread can load. */
export interface HostConnection {
  report(report: FrontendReport): void
  /** What the reports of a process pass, which can be full. */
  pipes?: readonly Writable[]
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

const nextTick = (): Promise<void> => new Promise(onNextTick)

/** The module runs once the first link is open. A later link replaces the link before. */
export type HostCommand =
  | { type: 'link'; link: Link; scripts: readonly InitScript[] }
  | Question
  | OutputRequest
  | { type: 'stop' }

export function startFrontend(start: FrontendStart, host: HostConnection): void {
  new FrontendLife(start, host).begin()
}

/** What runs, and has the link: the thread's client with a module, or a script with a client of its own in its VM. */
interface OpenCode {
  reconnect(link: Link): void
  /** Resolves once all that was sent has left. */
  close(): Promise<void>
}

/** The phases are those of `serveLife`: boot, handshake, serve, drain, and the end. */
class FrontendLife {
  readonly #start: FrontendStart
  readonly #host: HostConnection
  readonly #linked = createDeferred<void>()
  readonly #unsent: Throttle<undefined>
  /** The system bounds the pipes of a process. */
  readonly #output: Output | undefined
  #script: FrontendScript | undefined
  #loadText: typeof loadTextModule | undefined
  #client: Client | undefined
  #open: OpenCode | undefined
  #link: Link | undefined
  #closing: Promise<void> | undefined
  #stop: () => void = () => {}
  /** The script has answered `bus.run`. What its code left running cannot fail it any more. */
  #hasAnswered = false
  /** What promises of the code of `bus.run` have rejected with, until it handles that. */
  readonly #rejections = new Map<unknown, unknown>()

  constructor(start: FrontendStart, host: HostConnection) {
    this.#start = start
    this.#host = host
    this.#unsent = new Throttle<undefined>((_, more) => host.report({ type: 'unsent', count: more + 1 }), 1)
    const hasOutput = !isMainThread || host.group
    this.#output = hasOutput ? new Output(text => host.report(text), MAX_WAITING_OUTPUT, start.printed) : undefined
  }

  begin(): void {
    this.#host.onCommand(command => this.#obey(command))
    this.#stop = serveLife({
      boot: () => this.#boot(),
      handshake: () => this.#linked.promise,
      serve: (end, fail) => {
        if (this.#script) this.#runScript(this.#script, fail)
        else this.#runModule(end, fail)
        return () => this.#close()
      },
      drain: () => this.#drain(),
      onState: (state, error) => this.#stateChanged(state, error),
    })
    this.#host.group?.onTerminate(() => this.#release())
  }

  #obey(command: HostCommand): void {
    switch (command.type) {
      case 'stop':
        return this.#stop()
      case 'ask':
        return this.#host.report({ type: 'answer', queued: this.#link?.queued ?? 0 })
      case 'read':
        return this.#output?.read(command.stream)
      case 'link':
        this.#link = command.link
        command.link.isPatient = true
        if (this.#open) return this.#open.reconnect(command.link)
        setInitScripts(globalThis, () => command.scripts)
        return this.#linked.resolve()
      default:
        return assertNever(command)
    }
  }

  async #boot(): Promise<void> {
    const { development, sourceMaps, sandbox, text } = this.#start
    setDevelopment(development)
    if (sourceMaps) process.setSourceMapsEnabled(true)
    if (!this.#host.group) explainUncaughtErrors()
    if (text?.wrapper && this.#start.runner === undefined) {
      process.on('unhandledRejection', (reason, promise) => this.#unhandled(promise, reason))
      process.on('rejectionHandled', promise => this.#rejections.delete(promise))
    }
    if (this.#output && !this.#host.group) takeStreams(this.#output)
    if (sandbox) await this.#enter(sandbox)
  }

  async #enter(sandbox: NonNullable<FrontendStart['sandbox']>): Promise<void> {
    const { module, text, script: content, runner, engine, snapshot, image, env = {}, broker } = this.#start
    const thread = await enterSandboxOnce({ sandbox, hasText: text !== undefined && runner === undefined, runner })
    if (sandbox.hasBroker) useBroker(env, broker, IS_DENO ? createDenoFetch : undefined)
    this.#loadText = thread.loadText
    const network = sandbox.hasBroker ? { fetch, env } : undefined
    this.#script = await thread.runner?.loadScript(module, text, content, { engine, snapshot, image, network })
    // A script cannot read files at all.
    if (this.#script || thread.readableDirectory === undefined) return
    this.#host.report({ type: 'unexpected-read', directory: thread.readableDirectory })
  }

  #runScript(script: FrontendScript, fail: (error: unknown) => void): void {
    this.#open = script
    const isRun = this.#start.text?.wrapper !== undefined
    const thread: ScriptThread = {
      print: (stream, text) => void (this.#output ? this.#output.print(stream, text) : process[stream].write(text)),
      ...this.#host.group,
      suspended: suspendedScript => this.#host.report({ type: 'suspended', ...suspendedScript }),
      ...(isRun && {
        unhandled: (promise, reason) => this.#unhandled(promise, reason),
        handled: promise => void this.#rejections.delete(promise),
      }),
      unsent: () => this.#unsent.add(undefined),
      synchronized: () => this.#host.report({ type: 'synchronized' }),
      // Before the host has read the answer: a message less to wait for.
      answered: () => {
        this.#hasAnswered = true
        this.#stop()
      },
    }
    const loaded = script.run(this.#link!, this.#start, thread, error => !this.#hasAnswered && fail(error))
    // Nobody waits for what `bus.run` has emitted.
    this.#reportLoaded(loaded, fail, () => isRun && this.#host.report({ type: 'synchronized' }))
  }

  #runModule(end: () => void, fail: (error: unknown) => void): void {
    const onUnsent = (): void => this.#unsent.add(undefined)
    const { label, codec, data, timeout, maxInFlight, overflow, deadlines } = this.#start
    const own = { label, codec, data, timeout, maxInFlight, overflow, deadlines }
    const options = { ...own, toError: toErrorOfFunction, reconnects: true, onUnsent }
    const client = (this.#client = new Client(this.#link!, options))
    this.#open = { reconnect: link => void Client.reconnect(client, link), close: () => client.close() }
    setCurrentClient(client)
    void client.closed.then(end)
    const loaded = this.#load()
    Client.getParts(client).functions.waitFor(loaded)
    const hasSynchronized = (): void => this.#host.report({ type: 'synchronized' })
    this.#reportLoaded(loaded, fail, () => {
      if (this.#start.text?.wrapper) hasSynchronized()
      // Its connection can be another one by then.
      else void synchronize(Client.getParts(client).connection).then(hasSynchronized)
    })
  }

  #reportLoaded(loaded: Promise<unknown>, fail: (error: unknown) => void, onLoaded: () => void): void {
    loaded.then(
      () => {
        this.#host.report({ type: 'loaded' })
        onLoaded()
      },
      (error: unknown) => fail(explainLoadError(error, this.#start.sandbox !== undefined)),
    )
  }

  async #load(): Promise<unknown> {
    const { module, text } = this.#start
    if (this.#loadText) return this.#loadText(module, text!, () => this.#loadFunctions(), this.#host.loadFunctions!)
    return import(/* webpackIgnore: true */ /* @vite-ignore */ module)
  }

  /** Returns the functions of the code. */
  async #loadFunctions(): Promise<FrontendFunctions> {
    const functions = await this.#host.loadFunctions!()
    if (!this.#start.text?.wrapper) return functions
    const exposeAll = functions.expose as (exposed: unknown) => unknown
    const expose = (exposed: unknown): unknown => {
      const { [RUN_METHOD]: run, ...others }: Record<string, (...call: unknown[]) => unknown> = Object(exposed)
      return exposeAll(run ? { ...others, [RUN_METHOD]: (...call: unknown[]) => this.#endRun(run(...call)) } : exposed)
    }
    return { ...functions, expose }
  }

  /** Waits for the calls that the code of `bus.run` has not awaited, and for those that it makes then. */
  async #endRun(running: unknown): Promise<unknown> {
    try {
      return await running
    } finally {
      await waitForLastCalls(Client.getParts(this.#client!).connection.pending)
    }
  }

  #unhandled(promise: unknown, reason: unknown): void {
    // The end of its link ends the run, too. An interruption after its return is none.
    const isOfRun = isBusError(reason, 'Disconnected') || isBusError(reason, 'Interrupted')
    if (!isOfRun && this.#rejections.size < MAX_UNHANDLED) this.#rejections.set(promise, reason)
  }

  async #drain(): Promise<void> {
    // Messages that arrived before the command to stop are handled: the loop polls every port within two ticks.
    await nextTick()
    await nextTick()
    // Calls in flight settle before the thread ends.
    await this.#close()
    for (const reason of this.#rejections.values())
      this.#host.report({ type: 'unhandled', error: reportError(toErrorOfFunction(RUN_METHOD, reason)) })
  }

  /** Closes the link. Resolves once all that the code has sent has left. @throws {BusError} Timeout if core takes it no more */
  #close(): Promise<void> {
    this.#closing ??= this.#open!.close().then(() => {
      const unsent = this.#link?.unsent ?? 0
      if (unsent > 0) throw createUnsentError(unsent)
    })
    return this.#closing
  }

  #stateChanged(state: LifecycleState, error: unknown): void {
    const isEnd = state === 'stopped' || state === 'failed'
    if (isEnd) this.#unsent.flush()
    this.#host.report({ type: 'state', state, ...(error !== undefined && { error: reportError(error) }) })
    if (!isEnd) return
    const code = state === 'failed' ? 1 : 0
    if (this.#host.group) void this.#leaveGroup(this.#host.group, code)
    else void exitOnceWritten(code, this.#host.pipes)
  }

  async #leaveGroup(group: GroupMember, code: number): Promise<void> {
    await nextTick()
    this.#release()
    group.exit(code)
  }

  /** Releases what the thread would keep for the script, after its output. */
  #release(): void {
    this.#output!.flush()
    this.#script?.stop()
    void this.#client?.close()
    this.#link?.close()
  }
}

/** Ends the thread, or the process once it has written its output and its reports: a full pipe takes the rest later. */
export async function exitOnceWritten(
  code: number,
  pipes: readonly Writable[] | undefined,
  exit: (code: number) => never = code => process.exit(code),
): Promise<never> {
  await nextTick()
  for (const pipe of pipes ? [process.stdout, process.stderr, ...pipes] : []) {
    if (pipe.writableLength > 0) await new Promise(resolve => pipe.write('', resolve))
  }
  return exit(code)
}
