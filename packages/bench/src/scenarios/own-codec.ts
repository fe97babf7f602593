// A codec of the user's own beside those of the bus: real documents written and read again, in one thread.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cloneCodec, jsonCodec, moduleCodec, msgpackCodec } from '../arms/codec.js'
import { devtoolsProtocol } from '../payloads/devtools.js'
import { githubEvents } from '../payloads/github.js'
import { usualCall } from '../payloads/greet.js'
import { latency, type Scenario } from '../scenario.js'
import { UsageError } from '../shared/text.js'
import { codecIn } from '../workers/own-codec.js'

/**
 * @param path of a module whose default export is an `OwnCodec`
 * @throws UsageError for a module that can't be loaded, or has none
 */
export async function ownCodec(path: string): Promise<Scenario> {
  const module = pathToFileURL(resolve(path)).href
  const { name } = await codecIn(module).catch((error: unknown) => {
    throw new UsageError(`--codec ${path}: ${error instanceof Error ? error.message : String(error)}`)
  })
  return {
    id: `own-codec-${name}`,
    title: `The codec '${name}', beside the others`,
    about: 'a message written and read again in one thread; × against V8’s structured clone',
    arms: [cloneCodec, jsonCodec, msgpackCodec, moduleCodec(name, module)],
    cases: [usualCall, githubEvents('push'), devtoolsProtocol()].map(payload => ({
      id: payload.id,
      title: payload.title,
      task: { loop: 'codec' as const, inFlight: 1 },
      payload,
      figures: [latency('each', 'a message')],
    })),
    rows: 'cases',
  }
}
