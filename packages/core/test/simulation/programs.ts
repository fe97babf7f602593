// Programs of the simulated threads: they do the same as the entries of workers, without modules, sandboxes or processes.
import { RECORD_DIRECTION, type GateCommand, type SessionKey } from '@sallyport/protocol/internal/contract'
import { reportError } from '@sallyport/protocol/internal/errors'
import { closeEndpoint, openLink, type LinkEndpoint } from '@sallyport/protocol/internal/link'
import { SamplingTimer } from '@sallyport/protocol/internal/util'
import { createSealer } from '@sallyport/protocol/internal/records'
import { once } from 'node:events'
import { pino } from 'pino'
import { serveGate } from '../../../isolation/src/gate/gate.js'
import { createHookWatch } from '../../../isolation/src/hook/hook-watch.js'
import { createHook } from '../../../isolation/src/hook/hook.js'
import { startWorkerActor } from '../../../protocol/src/contract/worker-actor.js'
import type { LifecycleState } from '../../../protocol/src/contract/host-worker.js'
import type { LinkOffer, CoreCommand, CoreWorkerData } from '../../src/contract/host-core.js'
import { createCore, type Core } from '../../src/core-thread/core.js'
import { createDefinition } from './commands.js'
import { HOOK_DEADLINE, createJudge } from './hook.js'
import type { SupervisedWorld } from './supervised-world.js'
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
    const number = world.beginsCore(thread)
    const waiting: LinkOffer[] = []
    let core: Core | undefined
    const attach = (offer: LinkOffer): void => {
      core!.attach(offer)
      const { label, id } = offer
      if (label !== undefined) thread.report({ type: 'attached', label, id })
    }
    let booted!: () => void
    const boot = new Promise<void>(resolve => (booted = resolve))
    const definition = createDefinition(world, number)
    const actor = startWorkerActor({
      async boot() {
        // The first call loads a module, which takes no virtual time.
        core = await createCore(
          definition,
          data,
          () => log,
          report => thread.report(report),
        ).finally(booted)
      },
      handshake: async () => waiting.forEach(attach),
      serve: () => () => void core?.close(),
      async drain() {
        await core?.drain()
        await core?.close(0)
      },
      onState: entering(thread),
    })
    thread.control.on('message', (command: CoreCommand) => {
      if (command.type === 'stop') actor.stop()
      else if (command.type === 'begin') core?.sessions.begin(command.label)
      else if (command.type === 'end') core?.sessions.end(command.label, command.hasBegun)
      else if (command.type === 'confirmed') core?.confirmRequests.answer(command.id, command.answer)
      else if (command.type === 'measure') thread.report({ type: 'measured', running: core?.measure() ?? [] })
      else if (command.type === 'hold') core?.holdEvents(command.holds)
      // The inspector is not simulated.
      else if (command.type === 'explain') return
      // Nor are processes.
      else if (command.type === 'socket') return
      else if (core) attach(command.offer)
      else waiting.push(command.offer)
    })
    return boot
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
    const actor = startWorkerActor({
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
      if (command.type === 'stop') actor.stop()
      else if (command.type === 'link') void join(command)
    })
  }

interface Linked {
  type: 'link' | 'stop'
  link: LinkEndpoint
}

export const frontendProgram =
  (world: SupervisedWorld): Program =>
  (thread, { label }: { label: string }) => {
    const frontend = world.beginsFrontend(thread, label)
    let first: Linked | undefined
    let begin!: () => void
    const linked = new Promise<void>(resolve => (begin = resolve))
    const actor = startWorkerActor({
      boot: async () => {},
      handshake: () => linked,
      serve(send) {
        world.join(frontend, first!.link)
        void frontend.client.closed.then(() => send({ type: 'link.closed' }))
        return () => frontend.close()
      },
      drain: async () => {},
      onState: entering(thread),
    })
    thread.control.on('message', (order: Linked) => {
      if (order.type === 'stop') return actor.stop()
      if (frontend.client) return world.join(frontend, order.link)
      first = order
      begin()
    })
  }
