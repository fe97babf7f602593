// Scenarios of the user's own documents and codecs: --payload and --codec.
import { readFile } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { documents } from '../arms/features.js'
import { codecArm, codecArms } from '../arms/threads.js'
import { loadCodec } from '../loops/codec.js'
import { latency, rate, type Case, type Scenario } from '../model/scenario.js'
import { devtoolsProtocol, echo, githubEvents, usualCall, type Payload } from '../payloads/payloads.js'
import { oneLine, UsageError } from '../shared/text.js'
import { calls, inCase, P50, P99 } from './cases.js'

/** @throws UsageError if a file cannot be read, or is not JSON */
export const ownPayloads = async (paths: readonly string[]): Promise<Scenario> => ({
  id: 'own-payloads',
  title: 'Your documents, there and back',
  about: 'one at a time (median), and 8 in flight; × against the same documents through a raw MessagePort',
  arms: documents,
  cases: makeUnique(await Promise.all(paths.map(readPayload))).flatMap((payload): Case[] => {
    const { id, title } = payload
    return [
      inCase(`${id}-1`, title, calls(1), [P50, P99], payload),
      inCase(`${id}-8`, `${title}, 8 in flight`, calls(8), [rate('rate', 'calls')], payload),
    ]
  }),
  rows: 'cases',
})

async function readPayload(path: string): Promise<Payload> {
  try {
    const document = JSON.parse(await readFile(path, 'utf8')) as unknown
    const title = oneLine(basename(path, extname(path)))
    const id = title
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
    // The arguments of a command are an object, so anything else is sent within one.
    const isObject = typeof document === 'object' && document !== null && !Array.isArray(document)
    return echo(id || 'document', title, [isObject ? document : { document }])
  } catch (error) {
    throw new UsageError(`--payload ${path}: ${(error as Error).message}`)
  }
}

/** Numbers ids and titles that occur more than once: two files may have the same name. */
function makeUnique(payloads: readonly Payload[]): Payload[] {
  const [ids, titles] = [new Set<string>(), new Set<string>()]
  const take = (taken: Set<string>, name: string, addNumber: (number: number) => string): string => {
    let free = name
    for (let number = 2; taken.has(free); number++) free = addNumber(number)
    taken.add(free)
    return free
  }
  return payloads.map(payload => ({
    ...payload,
    id: take(ids, payload.id, number => `${payload.id}-${number}`),
    title: take(titles, payload.title, number => `${payload.title} (${number})`),
  }))
}

/** @throws UsageError if the module cannot be loaded, or its default export is not an `OwnCodec` */
export async function ownCodec(path: string): Promise<Scenario> {
  const module = pathToFileURL(resolve(path)).href
  const { name } = await loadCodec(module).catch((error: unknown) => {
    throw new UsageError(`--codec ${path}: ${error instanceof Error ? error.message : String(error)}`)
  })
  return {
    id: `own-codec-${name}`,
    title: `The codec '${name}', compared with the others`,
    about: "a message written and read again in one thread; × against V8's structured clone",
    arms: [...codecArms, codecArm(name, name, { module })],
    cases: [usualCall, githubEvents('push'), devtoolsProtocol()].map(payload =>
      inCase(payload.id, payload.title, { loop: 'codec', inFlight: 1 }, [latency('each', 'a message')], payload),
    ),
    rows: 'cases',
  }
}
