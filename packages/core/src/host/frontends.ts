// The frontends of a bus: workers that it started, and connections of the host itself. Each has a link to core, and a gate
// of its own in the isolation pattern.
import { Client, throughGate } from '@sallyport/frontend/client'
import { BusError, createLinkEnds, openLink, type FrontendWorkerData, type LinkEnd } from '@sallyport/protocol'
import type { StrayReadReport } from '@sallyport/protocol'
import type { Attachment } from '../control.js'
import { chooseLink, coresFor, hasCores } from './choose-link.js'
import { startGate, type Gate, type GateHost } from './gates.js'
import { spawnFrontend } from './frontend-worker.js'
import type { ConnectionSettings, FrontendSettings } from './options.js'
import type { SupervisedThread } from './supervisor.js'

export interface FrontendHost extends GateHost {
  /** Resolves once core has it. */
  attach(attachment: Attachment & { label: string }): Promise<void>
  /** Core tells the others of this frontend. */
  begin(label: string): void
}

type WireSettings = ConnectionSettings & Partial<Pick<FrontendSettings, 'sandbox'>>

interface Wired {
  end: LinkEnd
  gate: Gate | undefined
  attached: Promise<void>
}

interface Frontend {
  gate: Gate | undefined
  end(timeout: number): Promise<unknown>
}

const MAX_TRUSTED = 1000

/** A relay kills its process, and ends by itself: what ends after it stays in the table of processes. */
const RELAY_GRACE_MS = 10_000

export class Frontends {
  readonly #host: FrontendHost
  readonly #open = new Map<string, Frontend>()
  /** Settled once a frontend and its gate have gone. */
  readonly #ending = new Set<Promise<void>>()

  /** Labels that the log has a warning of. Of many, some may be warned of again. */
  readonly #trusted = new Set<string>()

  constructor(host: FrontendHost) {
    this.#host = host
  }

  /** Makes the calling thread a frontend. */
  async connect(label: string, settings: ConnectionSettings): Promise<Client> {
    this.#checkFree(label)
    const { end, gate, attached } = this.#wire(label, settings, true)
    const core = openLink(end, true)
    const { codec, data } = settings
    const client = new Client(gate ? throughGate(core, openLink(gate.link, true)) : core, { label, codec, data })
    this.#keep(label, { gate, end: () => client.close() }, client.closed)
    await this.#waitFor(label, attached, gate)
    return client
  }

  /** Starts a worker, which waits for `start` before it loads its module. Resolves once core has its link, and its gate is ready. */
  async open(label: string, module: URL, settings: FrontendSettings): Promise<{ start(): void }> {
    this.#checkFree(label)
    const { codec, data, sandbox } = settings
    if (sandbox === 'none' && !this.#trusted.has(label)) {
      if (this.#trusted.size === MAX_TRUSTED) this.#trusted.clear()
      this.#trusted.add(label)
      this.#host.log.warn({ label }, 'This frontend has no sandbox: its code may do all that the host may')
    }
    const { end, gate, attached } = this.#wire(label, settings, false)
    const workerData: FrontendWorkerData = { label, codec, data, module: module.href, link: end }
    if (gate) workerData.gate = gate.link
    let told = false
    let booted!: () => void
    const boot = new Promise<void>(resolve => (booted = resolve))
    const thread = this.#host.supervisor.start({
      name: `frontend ${label}`,
      ...(isProcess(sandbox) && { grace: RELAY_GRACE_MS }),
      spawn: () => spawnFrontend(workerData, settings, this.#host.log),
      onState: state => {
        this.#host.log.debug({ actor: 'frontend', label, state }, 'state')
        if (state === 'handshaking') booted()
      },
      onReport: report => {
        // It comes from the worker's boot, before any code of the frontend's. Later ones may be lies.
        if (!told) this.#heard(label, report)
        told = true
      },
    })
    this.#watch(label, thread)
    this.#keep(label, { gate, end: timeout => thread.stop(timeout) }, thread.exited)
    // A frontend that must not start in a sandbox with a hole says so itself.
    const refused = isStrict(sandbox) ? Promise.race([boot, failureOf(thread)]) : undefined
    await this.#waitFor(label, Promise.all([attached, refused]), gate)
    return {
      start: (): void => {
        this.#host.begin(label)
        thread.post({ type: 'start' })
      },
    }
  }

  async close(label: string): Promise<void> {
    const frontend = this.#open.get(label)
    if (!frontend) throw new BusError('InvalidParams', `There is no frontend ${JSON.stringify(label)}`)
    await frontend.end(0)
    await frontend.gate?.thread.stop(0)
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ end }) => end(0)))
    await Promise.all(this.#ending)
  }

  #heard(label: string, report: unknown): void {
    const { type, folder } = (report ?? {}) as Partial<StrayReadReport>
    if (type !== 'stray-read' || typeof folder !== 'string') return
    this.#host.log.warn(
      { label, folder },
      'Node lets this frontend read all below the working directory: see docs/security.md',
    )
  }

  #checkFree(label: string): void {
    if (this.#open.has(label)) {
      throw new BusError('InvalidParams', `There is a frontend ${JSON.stringify(label)} already`)
    }
  }

  #wire(label: string, { codec, link, poll, sandbox }: WireSettings, runs: boolean): Wired {
    const { options, cipher } = this.#host
    const { pattern } = options
    const cores = coresFor(isProcess(sandbox))
    const kind = chooseLink(link, pattern, cores)
    const makeEnds = (): [LinkEnd, LinkEnd] => createLinkEnds(kind, poll && hasCores(pattern, cores))
    const [there, here] = makeEnds()
    const gate = options.pattern === 'isolation' ? startGate(label, makeEnds(), this.#host) : undefined
    const attached = this.#host.attach({ label, codec, end: there, runs, cipher, ...(gate && { keyPort: gate.key }) })
    if (gate) this.#watch(label, gate.thread)
    return { end: here, gate, attached }
  }

  #keep(label: string, frontend: Frontend, ended: Promise<unknown>): void {
    this.#open.set(label, frontend)
    const gone = ended.then(async () => {
      // The label is free at once; the gate takes a moment longer.
      this.#open.delete(label)
      await frontend.gate?.thread.stop(0)
      this.#ending.delete(gone)
    })
    this.#ending.add(gone)
    // A gate that was ended may still hold its ends of the links: the frontend does not wait for them.
    void frontend.gate?.thread.exited.then(({ error }) => error && frontend.end(0))
  }

  #watch(label: string, thread: SupervisedThread): void {
    void thread.exited.then(({ error }) => error && this.#host.failed(label, error))
  }

  async #waitFor(label: string, attached: Promise<unknown>, gate: Gate | undefined): Promise<void> {
    try {
      await Promise.all([attached, gate?.thread.ready])
    } catch (error) {
      await this.close(label).catch(() => {})
      throw error
    }
  }
}

const isProcess = (sandbox: FrontendSettings['sandbox'] | undefined): boolean =>
  typeof sandbox === 'object' && sandbox.kind === 'process'

const isStrict = (sandbox: FrontendSettings['sandbox']): boolean =>
  typeof sandbox === 'object' && sandbox.kind === 'permission' && sandbox.strict

async function failureOf(thread: SupervisedThread): Promise<void> {
  const { error } = await thread.exited
  if (error) throw error
}
