// Programs of the simulated threads: they do the same as the entries of workers, without modules, sandboxes or processes.
import {
  RECORD_DIRECTION,
  type GateCommand,
  type Question,
  type SessionKey,
  watchSilence,
} from '@sallyport/protocol/internal/contract'
import type { Link } from '@sallyport/protocol/internal/wire'
import { reportError } from '@sallyport/protocol/internal/errors'
import {
  acceptDirect,
  closeEndpoint,
  connectDirect,
  getPorts,
  type DirectSocket,
  type LinkEndpoint,
  openLink,
  SocketLink,
  SplitLink,
} from '@sallyport/protocol/internal/link'
import { SamplingTimer } from '@sallyport/protocol/internal/util'
import { createSealer } from '@sallyport/protocol/internal/records'
import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import type { MessagePort } from 'node:worker_threads'
import { pino } from 'pino'
import { serveGate } from '../../../isolation/src/gate/gate.js'
import { createHookWatch } from '../../../isolation/src/hook/hook-watch.js'
import { createHook } from '../../../isolation/src/hook/hook.js'
import { type LifecycleState, serveLife } from '../../../protocol/src/contract/life.js'
import type { CoreCommand, CoreWorkerData } from '../../src/contract/host-core.js'
import { runCoreActor } from '../../src/core-thread/core-actor.js'
import { createCore, type Core } from '../../src/core-thread/core.js'
import { createDefinition } from './commands.js'
import { HOOK_DEADLINE, createJudge } from './hook.js'
import type { SupervisedWorld } from './supervised-world.js'
import { getSimulatedPorts, type LinkEnds, type SimulatedPort } from './virtual/port.js'
import type { SimulatedSocket } from './virtual/socket.js'
import type { SimulatedProcess } from './virtual/process.js'
import type { Program, SimulatedThread } from './virtual/threads.js'

const log = pino({ level: 'silent' })

const entering =
  (thread: SimulatedThread) =>
  (state: LifecycleState, error?: unknown): void => {
    thread.report({ type: 'state', state, ...(error !== undefined && { error: reportError(error) }) })
    if (state === 'stopped' || state === 'failed') setImmediate(() => thread.exit(state === 'failed' ? 1 : 0))
  }

export const coreProgram =
  (world: SupervisedWorld): Program =>
  (thread, data: CoreWorkerData) => {
    const definition = createDefinition(world, world.beginsCore(thread))
    let booted!: () => void
    const boot = new Promise<void>(resolve => (booted = resolve))
    const report = (message: unknown): void => thread.report(message)
    const port = Object.assign(new EventEmitter(), { postMessage: report }) as unknown as MessagePort
    // The first call loads a module, which takes no virtual time.
    const create = (): Promise<Core> => createCore(definition, data, () => log, report).finally(booted)
    runCoreActor(port, create, () => setImmediate(() => thread.exit(0)))
    thread.control.on('message', (command: CoreCommand) => {
      world.net.place = thread.place
      port.emit('message', toCore(command))
    })
    return boot
  }

function toCore(command: CoreCommand): CoreCommand {
  if (command.type === 'socket') return { ...command, socket: { ...command.socket, id: command.socket.id + OWN_ENDS } }
  if (command.type !== 'attach') return command
  return { ...command, offer: { ...command.offer, endpoint: toThread(command.offer.endpoint) } }
}

export const gateProgram =
  (world: SupervisedWorld): Program =>
  (thread, { label }: { label: string }) => {
    const hook = createHook(
      createJudge(world, () => world.crashGate(label)),
      { deadline: HOOK_DEADLINE },
    )
    type Join = Extract<GateCommand, { type: 'link' }>
    let latest: Join | undefined
    let linked: { id: number; link: ReturnType<typeof openLink>; sealer: ReturnType<typeof createSealer> } | undefined
    let take!: () => void
    const handshake = new Promise<void>(resolve => (take = resolve))
    const join = async (command: Join): Promise<void> => {
      latest = command
      const [key] = (await once(command.key, 'message')) as [SessionKey]
      if (command !== latest) return closeEndpoint(command.link)
      linked?.link.close()
      linked = {
        id: command.id,
        link: openLink(command.link, false),
        sealer: createSealer({ ...key, direction: RECORD_DIRECTION }),
      }
      take()
    }
    const stop = serveLife({
      boot: async () => {},
      handshake: () => handshake,
      serve() {
        take = () => {
          const { id, ...link } = linked!
          serveGate({
            ...link,
            hook,
            hookTimer: new SamplingTimer(),
            sealTimer: new SamplingTimer(),
            watch: createHookWatch(undefined),
            rejected: () => {},
            closed: fault => fault && thread.report({ type: 'fault', link: id, error: reportError(fault) }),
          })
        }
        take()
        return () => linked!.link.close()
      },
      drain: async () => {},
      onState: entering(thread),
    })
    thread.control.on('message', (command: GateCommand) => {
      if (command.type === 'stop') stop()
      else if (command.type === 'ask') thread.report({ type: 'answer' })
      else if (command.type === 'link') void join({ ...command, link: toThread(command.link) })
      else connectSocket(world, thread, command.socket)
    })
  }

/** All threads of the simulation are one: in it, the ids of their own ends are others than the host's, which has none of them. */
const OWN_ENDS = 1e9

function toThread(end: LinkEndpoint): LinkEndpoint {
  if (end.kind === 'direct') return { ...end, id: end.id + OWN_ENDS }
  return end.kind === 'split' ? { ...end, to: toThread(end.to), from: toThread(end.from) } : end
}

function connectSocket(world: SupervisedWorld, { place }: SimulatedThread, { id, port }: DirectSocket): void {
  world.net.place = place
  connectDirect({ id: id + OWN_ENDS, port })
}

interface LinkOrder {
  type: 'link'
  link: LinkEndpoint
}
type Linked = LinkOrder | Question | { type: 'stop'; timeout: number }
/** `start` is for a process that was started ahead. */
type ProcessOrder = Linked | { type: 'start'; label: string }
type Connect = (order: LinkOrder) => [Link, LinkEnds]

/** Time for a process to exit after its time to drain. */
const KILL_TIMEOUT = 250

/** A relay, and the process that it starts once the owners of its sockets have connected. */
export const processProgram =
  (world: SupervisedWorld): Program =>
  (thread, data: { label: string | undefined; ports: readonly MessagePort[] }) => {
    const { ports } = data
    let { label } = data
    const own = thread as SimulatedProcess
    const { relay } = own
    const early: ProcessOrder[] = []
    let connect: Connect | undefined
    let handle = (order: ProcessOrder): void => {
      if (order.type !== 'start') return void early.push(order)
      label = order.label
      start()
    }
    /** The process takes orders when it runs, and the relay at once. */
    const pass = (order: ProcessOrder): void => {
      const { clock } = world.simulation
      const { dead, stalledUntil } = thread.place
      if (stalledUntil > clock.now) clock.at(stalledUntil, () => pass(order))
      else if (!dead) handle(order)
    }
    thread.control.on('message', (order: ProcessOrder) => {
      if (order.type === 'stop') stop(order.timeout)
      pass(order)
    })
    const kill = (): void => own.kill()
    function stop(timeout: number): void {
      const { clock } = world.simulation
      own.isStopping = true
      const stopListening = watchSilence(
        timeout,
        () => (own.lifecycle === 'ready' ? thread.place.getComputed(clock.now) : undefined),
        kill,
      )
      thread.once('exit', stopListening)
      setTimeout(kill, timeout + KILL_TIMEOUT)
    }
    /** Its code begins once it is known whose it is, and can have a link. */
    function start(connects = connect): void {
      connect = connects
      if (thread.place.dead || label === undefined || !connect) return
      const frontend = world.beginsFrontend(thread as SimulatedProcess, label)
      let begin!: (order: LinkOrder) => void
      const linked = new Promise<LinkOrder>(resolve => (begin = resolve))
      let order!: LinkOrder
      const end = serveLife({
        boot: async () => {},
        handshake: async () => void (order = await linked),
        serve(closed) {
          world.joinOver(frontend, ...connect!(order))
          void frontend.client.closed.then(closed)
          return () => frontend.close()
        },
        drain: async () => {},
        onState(next, error) {
          own.lifecycle = next
          entering(thread)(next, error)
        },
      })
      handle = next => {
        if (next.type === 'stop') end()
        else if (next.type === 'ask') thread.report({ type: 'answer' })
        else if (next.type === 'link') begin(next)
      }
      early.forEach(handle)
    }
    if (ports.length === 0) {
      // Its relay forwards frames.
      return start(({ link }) => {
        const ends = getSimulatedPorts(link)
        for (const port of getPorts(link) as unknown as SimulatedPort[]) {
          port.travel()
          port.arrive(thread.place)
        }
        return [openLink(link, true), ends]
      })
    }
    world.net.place = relay
    void acceptDirect(ports, tmpdir()).then(
      accepted => {
        // As descriptors of the process.
        const ends = (accepted as unknown as SimulatedSocket[]).map(socket => socket.detach())
        for (const end of ends) end.moveTo(thread.place)
        start(() => {
          const [first, second] = ends.map(
            end => new SocketLink(options => world.net.open(end, options) as unknown as Socket),
          )
          return [second ? new SplitLink(first!, second) : first!, { out: ends[0]!, in: ends.at(-1)! }]
        })
      },
      // The owner of a socket has ended. The host ends this process, too.
      () => {},
    )
  }

export const frontendProgram =
  (world: SupervisedWorld): Program =>
  (thread, { label }: { label: string }) => {
    const frontend = world.beginsFrontend(thread, label)
    let first: LinkEndpoint | undefined
    let begin!: () => void
    const linked = new Promise<void>(resolve => (begin = resolve))
    const stop = serveLife({
      boot: async () => {},
      handshake: () => linked,
      serve(end) {
        world.join(frontend, first!)
        void frontend.client.closed.then(end)
        return () => frontend.close()
      },
      drain: async () => {},
      onState: entering(thread),
    })
    thread.control.on('message', (order: Linked) => {
      if (order.type === 'stop') return stop()
      if (order.type === 'ask') return thread.report({ type: 'answer' })
      if (frontend.client) return world.join(frontend, order.link)
      first = order.link
      begin()
    })
  }
