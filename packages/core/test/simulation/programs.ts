// Programs of the simulated threads: they do the same as the entries of workers, without modules, sandboxes or processes.
import {
  countTurns,
  deadline,
  type FrontendReport,
  type FrontendStart,
  type FrontendWorkerData,
  type GateCommand,
  type Question,
  serveMembers,
  silence,
  SILENT_MS,
} from '@sallyport/protocol/internal/contract'
import type { Link } from '@sallyport/protocol/internal/wire'
import {
  acceptDirect,
  getPorts,
  type DirectSocket,
  type LinkEndpoint,
  SocketLink,
  SplitLink,
} from '@sallyport/protocol/internal/link'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import type { MessagePort } from 'node:worker_threads'
import { pino } from 'pino'
import { joinGroup } from '../../../frontend/src/runtime/script-group.js'
import { type HostCommand, startFrontend } from '../../../frontend/src/runtime/start-frontend.js'
// A gate imports it late, and nothing is loaded while time stands still.
import '../../../isolation/src/hook/load.js'
import { type GateHost, runGate } from '../../../isolation/src/run-gate.js'
import type { LifecycleState } from '../../../protocol/src/contract/life.js'
import type { CoreCommand, CoreWorkerData } from '../../src/contract/host-core.js'
import { runCoreActor } from '../../src/core-thread/core-actor.js'
import { createCore, type Core } from '../../src/core-thread/core.js'
import { createDefinition } from './commands.js'
import type { Frontend } from './frontend.js'
import type { SupervisedWorld } from './supervised-world.js'
import type { SimulatedPort } from './virtual/port.js'
import type { SimulatedSocket } from './virtual/socket.js'
import type { Place } from './virtual/place.js'
import { SimulatedProcess } from './virtual/process.js'
import type { Program, ScriptThread, SimulatedThread } from './virtual/threads.js'

const log = pino({ level: 'silent' })

export const coreProgram =
  (world: SupervisedWorld): Program =>
  (thread, data: CoreWorkerData) => {
    const definition = createDefinition(world, world.beginsCore(thread), thread.place)
    let booted!: () => void
    const boot = new Promise<void>(resolve => (booted = resolve))
    const report = (message: unknown): void => thread.report(message)
    const port = Object.assign(new EventEmitter(), { postMessage: report }) as unknown as MessagePort
    // The first call loads a module, which takes no virtual time.
    const create = (): Promise<Core> => createCore(definition, data, () => log, report).finally(booted)
    runCoreActor(port, create, () => setImmediate(() => thread.exit(0)))
    thread.control.on('message', (command: CoreCommand) => {
      world.net.place = thread.place
      port.emit('message', toCore(world, thread.place, command))
    })
    return boot
  }

function toCore(world: SupervisedWorld, place: Place, command: CoreCommand): CoreCommand {
  if (command.type === 'socket') return { ...command, socket: toOwnSocket(command.socket) }
  if (command.type !== 'attach') return command
  return { ...command, offer: { ...command.offer, endpoint: toThread(world, place, command.offer.endpoint) } }
}

export const gateProgram =
  (world: SupervisedWorld): Program =>
  (thread, { label }: { label: string }) => {
    let booted!: () => void
    // The first gate loads a module, which takes no virtual time.
    const boot = new Promise<void>(resolve => (booted = resolve))
    const host: GateHost = {
      postMessage(report) {
        if ((report as { state?: LifecycleState }).state !== 'booting') booted()
        thread.report(report)
      },
      onMessage: handle =>
        void thread.control.on('message', (command: GateCommand) => {
          world.net.place = thread.place
          if (command.type === 'link') handle({ ...command, link: toThread(world, thread.place, command.link) })
          else if (command.type === 'socket') handle({ ...command, socket: toOwnSocket(command.socket) })
          else handle(command)
        }),
      onTerminate() {},
      failThread(error) {
        throw error
      },
      exit: code => thread.exit(code),
    }
    const unused = { heartbeat: undefined, watch: undefined, confirm: undefined, times: undefined }
    runGate(host, { ...unused, label, dir: label, legacyMessages: false, development: true, isShared: false })
    return boot
  }

/** All threads of the simulation are one: in it, the ids of their own ends are others than the host's, which has none of them. */
const OWN_ENDS = 1e9

function toThread(world: SupervisedWorld, place: Place, end: LinkEndpoint): LinkEndpoint {
  world.rings.own(end, place)
  const toOwn = (own: LinkEndpoint): LinkEndpoint => {
    if (own.kind === 'direct') return { ...own, id: own.id + OWN_ENDS }
    return own.kind === 'split' ? { ...own, to: toOwn(own.to), from: toOwn(own.from) } : own
  }
  return toOwn(end)
}

const toOwnSocket = ({ id, port }: DirectSocket): DirectSocket => ({ id: id + OWN_ENDS, port })

/** The members of a thread of scripts, and the start of each, are the real ones. */
export const scriptsProgram =
  (world: SupervisedWorld): Program =>
  thread => {
    const own = thread as ScriptThread
    serveMembers<FrontendWorkerData>(thread.control as unknown as MessagePort, (member, start) => {
      const frontend = world.beginsScript(own, start.label)
      const { postMessage, exit } = member
      frontend.setBusy = isBusy => member.setBusy(isBusy)
      const connection = Object.assign(member, {
        postMessage: (report: FrontendReport) => {
          observe(frontend, report)
          postMessage.call(member, report)
        },
        exit: (code: number) => {
          exit.call(member, code)
          frontend.place.die()
        },
      })
      joinGroup(connection, prepare(frontend, start), end => world.join(frontend, end))
    })
  }

interface LinkOrder {
  type: 'link'
  link: LinkEndpoint
  scripts: []
}
type Order = LinkOrder | Question | { type: 'stop'; timeout: number }
/** `start` is for a process that was started ahead. */
type ProcessOrder = Order | { type: 'start'; start: FrontendStart }
type Connect = (frontend: Frontend, link: LinkEndpoint) => Link

/** Returns what the real start of a thread begins with. */
function prepare(frontend: Frontend, start: FrontendStart): FrontendWorkerData {
  // Of code in a process, Node tells about rejections.
  const { text, ...rest } = start
  const sandbox = { frontend, unexpectedRead: undefined }
  const data: FrontendWorkerData = { ...rest, ...frontend.flow, sandbox, heartbeat: undefined }
  return frontend.isScript ? { ...data, text: text ?? { text: '', name: 'script' }, runner: 'quickjs' } : data
}

function observe(frontend: Frontend, report: FrontendReport): void {
  if (report.type === 'state' && ['draining', 'stopped', 'failed'].includes(report.state)) frontend.stops()
}

/** Starts the code of a thread or process. Returns what takes its orders. */
function start(
  thread: SimulatedThread,
  frontend: Frontend,
  data: FrontendStart,
  open: (link: LinkEndpoint) => Link,
): (order: Order) => void {
  let handle!: (command: HostCommand) => void
  startFrontend(prepare(frontend, data), {
    report(report) {
      observe(frontend, report)
      if (thread instanceof SimulatedProcess && report.type === 'state') thread.lifecycle = report.state
      thread.report(report)
    },
    onCommand: take => (handle = take),
    group: { onTerminate() {}, exit: code => thread.exit(code) },
  })
  return order => handle(order.type === 'link' ? { ...order, link: open(order.link) } : order)
}

/** Time for a process to exit after its time to drain. */
const KILL_TIMEOUT = 250

/** A relay, and the process that it starts once the owners of its sockets have connected. */
export const processProgram =
  (world: SupervisedWorld): Program =>
  (thread, data: { start: FrontendStart | undefined; ports: readonly MessagePort[] }) => {
    const { ports } = data
    let first = data.start
    const own = thread as SimulatedProcess
    const { relay } = own
    const early: Order[] = []
    let connect: Connect | undefined
    let handle = (order: Order): void => void early.push(order)
    /** The process takes orders when it runs, and the relay at once. */
    const pass = (order: ProcessOrder): void => {
      const { clock } = world.simulation
      const { dead, stalledUntil } = thread.place
      if (stalledUntil > clock.now) clock.at(stalledUntil, () => pass(order))
      else if (dead) return
      else if (order.type !== 'start') handle(order)
      else {
        first = order.start
        begin()
      }
    }
    thread.control.on('message', (order: ProcessOrder) => {
      if (order.type === 'stop') stop(order.timeout)
      pass(order)
    })
    const kill = (): void => own.kill()
    function stop(timeout: number): void {
      const { clock } = world.simulation
      own.isStopping = true
      // As `ProcessRelay`: code that drains waits for core, which the host asks.
      const readMs = (): number | undefined =>
        own.lifecycle === 'ready' ? thread.place.getComputed(clock.now) : undefined
      const readTime = countTurns(() => thread.place.stalledUntil > clock.now)
      const readWaited = (turn: number): number | undefined =>
        own.lifecycle === 'draining' ? undefined : readTime(turn)
      const stopWaiting = deadline(timeout, () => {
        const ends = [silence(SILENT_MS, { readMs }, kill), silence(KILL_TIMEOUT, { readMs: readWaited }, kill)]
        own.stopListening = () => ends.forEach(end => end())
      })
      own.stopListening = stopWaiting
    }
    /** Its code begins once it is known whose it is, and can have a link. */
    function begin(connects = connect): void {
      connect = connects
      if (thread.place.dead || first === undefined || !connect) return
      const frontend = world.beginsFrontend(own, first.label)
      handle = start(own, frontend, first, link => connect!(frontend, link))
      early.forEach(handle)
    }
    if (ports.length === 0) {
      // Its relay forwards frames.
      return begin((frontend, link) => {
        for (const port of getPorts(link) as unknown as SimulatedPort[]) {
          port.travel()
          port.arrive(thread.place)
        }
        return world.join(frontend, link)
      })
    }
    world.net.place = relay
    void acceptDirect(ports, tmpdir()).then(
      accepted => {
        // As descriptors of the process.
        const ends = (accepted as unknown as SimulatedSocket[]).map(socket => socket.detach())
        for (const end of ends) end.moveTo(thread.place)
        begin(frontend => {
          const [to, from] = ends.map(
            end => new SocketLink(options => world.net.open(end, options) as unknown as Socket),
          )
          const link = from ? new SplitLink(to!, from) : to!
          return world.joinOver(frontend, link, { out: ends[0]!, in: ends.at(-1)! })
        })
      },
      // The owner of a socket has ended. The host ends this process, too.
      () => {},
    )
  }

export const frontendProgram =
  (world: SupervisedWorld): Program =>
  (thread, data: FrontendStart) => {
    const frontend = world.beginsFrontend(thread, data.label)
    const handle = start(thread, frontend, data, link => world.join(frontend, link))
    thread.control.on('message', handle)
  }
