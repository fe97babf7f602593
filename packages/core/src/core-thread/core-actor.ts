// The lifecycle of a core in any thread: it starts, is attached to links, drains, and reports each state to its host.
import { createRequire } from 'node:module'
import { setImmediate as nextTick } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import { type LifecycleState, serveLife, within } from '@sallyport/protocol/internal/contract'
import { reportError } from '@sallyport/protocol/internal/errors'
import { connectDirect } from '@sallyport/protocol/internal/link'
import { assertNever } from '@sallyport/protocol/internal/util'
import type { Logger } from 'pino'
import type { LinkOffer, CoreCommand, CoreReport } from '../contract/host-core.js'
import type { Core } from './core.js'

/** Serves the host at `port`. @param onEnd - called after the core has stopped or failed */
export function runCoreActor(port: MessagePort, create: () => Promise<Core>, onEnd: () => void): void {
  new CoreActor(port, create, onEnd).begin()
}

/** Commands that need a core. */
type RunningCommand = Exclude<CoreCommand, { type: 'ask' | 'stop' | 'measure' | 'socket' }>

/** The phases are those of `serveLife`: boot, handshake, serve, drain, and the end. */
class CoreActor {
  readonly #port: MessagePort
  readonly #create: () => Promise<Core>
  readonly #onEnd: () => void
  /** Commands that came before there was a core. */
  readonly #pending: RunningCommand[] = []
  #core: Core | undefined
  #stopTimeoutMs = 0
  #stop: () => void = () => {}

  constructor(port: MessagePort, create: () => Promise<Core>, onEnd: () => void) {
    this.#port = port
    this.#create = create
    this.#onEnd = onEnd
  }

  begin(): void {
    this.#stop = serveLife({
      boot: () => this.#boot(),
      handshake: async () => this.#pending.forEach(command => this.#run(this.#core!, command)),
      serve: () => () => void this.#core!.close(),
      drain: () => this.#drain(),
      onState: (state, error) => this.#stateChanged(state, error),
    })
    this.#port.on('message', (command: CoreCommand) => this.#obey(command))
  }

  #report(report: CoreReport): void {
    this.#port.postMessage(report)
  }

  async #boot(): Promise<void> {
    const core = (this.#core = await this.#create())
    if (core.scripts.length > 0) this.#report({ type: 'scripts', scripts: core.scripts })
  }

  async #drain(): Promise<void> {
    // Serves calls that arrived before the command to stop: the event loop takes a tick to read every port.
    await nextTick()
    await nextTick()
    const deadline = performance.now() + this.#stopTimeoutMs
    await within(this.#stopTimeoutMs, this.#core!.drain())
    await this.#core!.close(Math.max(0, deadline - performance.now()))
  }

  #stateChanged(state: LifecycleState, error: unknown): void {
    this.#report(error === undefined ? { type: 'state', state } : { type: 'state', state, error: reportError(error) })
    if (state === 'stopped' || state === 'failed') this.#onEnd()
  }

  #obey(command: CoreCommand): void {
    switch (command.type) {
      case 'stop':
        this.#stopTimeoutMs = command.timeout
        return this.#stop()
      case 'ask':
        this.#core?.sessions.updateCounts()
        return this.#report({ type: 'answer' })
      case 'measure':
        return void this.#measure(command.watchCalls)
      case 'socket':
        // A process waits for it until it starts.
        return connectDirect(command.socket)
      default:
        if (this.#core) this.#run(this.#core, command)
        else this.#pending.push(command)
    }
  }

  #run(core: Core, command: RunningCommand): void {
    switch (command.type) {
      case 'attach':
        return this.#attach(core, command.offer)
      case 'begin':
        return core.sessions.begin(command.frontend)
      case 'detach':
        return core.sessions.detach(command.link, command.end)
      case 'ended':
        return core.codeEnded(command)
      case 'explain':
        return void this.#explain(core, command.id, command.label)
      case 'confirmed':
        return core.confirmRequests.answer(command.id, command.answer)
      case 'hold':
        return core.holdEvents(command.holds)
      default:
        return assertNever(command)
    }
  }

  async #measure(watchCalls: boolean | undefined): Promise<void> {
    if (watchCalls !== undefined) await this.#core?.watchCalls(watchCalls)
    this.#report({ type: 'measured', ...(this.#core?.measure() ?? { running: [] }) })
  }

  async #explain(core: Core, id: number, label: string): Promise<void> {
    try {
      this.#report({ type: 'explained', id, explained: await core.explain(label) })
    } catch (error) {
      this.#report({ type: 'explained', id, error: reportError(error) })
    }
  }

  #attach(core: Core, offer: LinkOffer): void {
    const { frontend, id } = offer
    try {
      core.attach(offer)
      if (frontend !== undefined) this.#report({ type: 'attached', frontend, id })
    } catch (error) {
      // Core cannot serve without the host's own link.
      if (frontend === undefined) throw error
      this.#report({ type: 'rejected', frontend, id, error: reportError(error) })
    }
  }
}

const require = createRequire(import.meta.url)

/**
 * Returns a function that returns core's log: pino, whose lines go to the host, so that a bus has one log in all threads. Pino
 * is loaded with the first line, because a core that starts well logs nothing.
 */
export function createCoreLog(level: string, write: (line: string) => void): () => Logger {
  let log: Logger | undefined
  const load = (): typeof import('pino') => require('pino')
  return () => (log ??= load().pino({ level, base: { worker: 'core' } }, { write }))
}
