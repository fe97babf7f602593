// Runs a frontend's script in a VM of QuickJS, which has the client, a console, timers and JavaScript's built-in objects, and nothing of
// Node. The frontend worker loads this module if its sandbox is `quickjs`.
import type { EngineModule, FrontendScript, ModuleText, ScriptOptions } from '@sallyport/protocol/internal/contract'
import { Machine } from './script-host/machine.js'
import { ScriptRun } from './script-host/script-run.js'
import { ScriptSource } from './script-host/script-source.js'
import { readSnapshot } from './script-host/vm-image.js'
import { getBase, prepareVms } from './script-host/vm-pool.js'

export const prepare = (module?: EngineModule): Promise<unknown> => prepareVms(module)

/** @throws {BusError} LoadFailed if the script cannot be read */
export async function loadScript(
  url: string,
  text: ModuleText | undefined,
  content: string | undefined,
  { engine, snapshot, image: base, network }: ScriptOptions,
): Promise<FrontendScript> {
  const source = await ScriptSource.read(url, text, content)
  let running: ScriptRun | undefined
  let isStopped = false
  return {
    async run(link, client, thread, onFault) {
      const image = snapshot && (await readSnapshot(snapshot, await getBase(base), engine!.memory))
      const machine = await Machine.start(engine!, image)
      if (isStopped) return machine.dispose()
      running = new ScriptRun({ machine, engine: engine!, source, wrapper: text?.wrapper, network, thread, onFault })
      return image ? running.goOn(link, client.label) : running.start(link, client)
    },
    reconnect: link => running?.reconnect(link),
    close: async () => running?.close(),
    stop() {
      isStopped = true
      running?.stop()
    },
  }
}
