// The entry of a frontend worker: makes the client of this thread, then loads the user's module.
import {
  openLink,
  reportError,
  type FrontendCommand,
  type FrontendScript,
  type FrontendWorkerData,
  type ScriptRunner,
  type StrayReadReport,
} from '@sallyport/protocol'
import { startWorkerActor } from '@sallyport/protocol/actor'
import { parentPort, workerData } from 'node:worker_threads'
import { Client } from './client.js'
import { setCurrentClient } from './current.js'
import { throughGate } from './through-gate.js'

const { label, codec, module, data, sandbox, runner, link: coreEnd, gate: gateEnd } = workerData as FrontendWorkerData
const control = parentPort!

const started = new Promise<void>(resolve => {
  control.on('message', (command: FrontendCommand) => {
    if (command.type === 'start') resolve()
    else actor.stop()
  })
})

let script: FrontendScript | undefined

const actor = startWorkerActor({
  async boot() {
    if (!sandbox) return
    const { enterSandbox } = await import('./enter-sandbox.js')
    const folder = enterSandbox(sandbox)
    if (runner !== undefined) script = await ((await import(runner)) as ScriptRunner).loadScript(module)
    // A script can read nothing at all.
    else if (folder !== undefined) control.postMessage({ type: 'stray-read', folder } satisfies StrayReadReport)
  },
  handshake: () => started,
  serve(send) {
    const core = openLink(coreEnd, true)
    const client = new Client(gateEnd ? throughGate(core, openLink(gateEnd, true)) : core, { label, codec, data })
    setCurrentClient(client)
    void client.closed.then(() => send({ type: 'link.closed' }))
    const loaded = script ? runScript(script, error => send({ type: 'fault', error })) : import(module)
    client.whileLoading(loaded)
    loaded.catch((error: unknown) => send({ type: 'fault', error }))
    return () => void client.close()
  },
  drain: async () => {},
  entered(state, error) {
    control.postMessage({ type: 'state', state, error: error === undefined ? undefined : reportError(error) })
    if (state === 'stopped' || state === 'failed') setImmediate(() => process.exit(state === 'failed' ? 1 : 0))
  },
})

/** Scripts get what a module would import. */
async function runScript(loaded: FrontendScript, fault: (error: Error) => void): Promise<void> {
  await loaded.run(await import('./index.js'), fault)
}
