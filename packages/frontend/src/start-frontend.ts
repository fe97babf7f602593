// The life of a frontend, wherever its code runs: makes the client of this thread, then loads the user's module. The entries
// beside this, worker.ts and process.ts, know how the host is spoken to.
import {
  reportError,
  type FrontendCommand,
  type FrontendReport,
  type FrontendScript,
  type FrontendStart,
  type Link,
  type ScriptRunner,
} from '@sallyport/protocol'
import { startWorkerActor } from '@sallyport/protocol/actor'
import { Client } from './client.js'
import { setCurrentClient } from './current.js'
import { explainDenied } from './explain-denied.js'
import { throughGate } from './through-gate.js'

/** What is around a frontend. */
export interface Surroundings {
  /** Opens the links: to core, and to the gate where there is one. */
  open(): [core: Link, gate: Link | undefined]
  tell(report: FrontendReport): void
  hear(take: (command: FrontendCommand) => void): void
}

export function startFrontend(
  { label, codec, module, data, sandbox, runner }: FrontendStart,
  around: Surroundings,
): void {
  let script: FrontendScript | undefined
  const started = new Promise<void>(resolve => {
    around.hear(({ type }) => (type === 'start' ? resolve() : actor.stop()))
  })

  const actor = startWorkerActor({
    async boot() {
      if (!sandbox) return
      const { enterSandbox } = await import('./enter-sandbox.js')
      const folder = enterSandbox(sandbox)
      if (runner !== undefined) script = await ((await import(runner)) as ScriptRunner).loadScript(module)
      // A script can read nothing at all.
      else if (folder !== undefined) around.tell({ type: 'stray-read', folder })
    },
    handshake: () => started,
    serve(send) {
      const [core, gate] = around.open()
      const client = new Client(gate ? throughGate(core, gate) : core, { label, codec, data })
      setCurrentClient(client)
      void client.closed.then(() => send({ type: 'link.closed' }))
      const loaded = script ? runScript(script, error => send({ type: 'fault', error })) : import(module)
      client.whileLoading(loaded)
      loaded.catch((error: unknown) => send({ type: 'fault', error: sandbox ? explainDenied(error) : error }))
      return () => void client.close()
    },
    drain: async () => {},
    entered(state, error) {
      around.tell({ type: 'state', state, ...(error !== undefined && { error: reportError(error) }) })
      if (state === 'stopped' || state === 'failed') setImmediate(() => process.exit(state === 'failed' ? 1 : 0))
    },
  })
}

/** Scripts get what a module would import. */
async function runScript(loaded: FrontendScript, fault: (error: Error) => void): Promise<void> {
  await loaded.run(await import('./index.js'), fault)
}
