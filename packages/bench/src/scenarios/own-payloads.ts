// Documents of the user's own, from JSON files: there and back, over each pattern and codec.
import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { isolationRingJson, isolationRingMsgpack, ringJson, ringMsgpack } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { echoOf, type Payload } from '../payloads/payload.js'
import { oneLine, UsageError } from '../shared/text.js'
import { latency, rate, type Case, type Scenario } from '../scenario.js'

/**
 * @param paths of files with one JSON document each
 * @throws UsageError for a file that can't be read, or is no JSON
 */
export async function ownPayloads(paths: readonly string[]): Promise<Scenario> {
  const payloads = numbered(await Promise.all(paths.map(readPayload)))
  return {
    id: 'own-payloads',
    title: 'Your documents, there and back',
    about: 'one at a time (median), and 8 in flight; × against the same documents through a raw MessagePort',
    arms: [rawPort, ringJson, ringMsgpack, isolationRingJson, isolationRingMsgpack],
    cases: payloads.flatMap(casesOf),
    rows: 'cases',
  }
}

/** Two files may have one name, or one once it is an id: each is measured as itself. */
function numbered(payloads: readonly Payload[]): Payload[] {
  const [ids, titles] = [new Set<string>(), new Set<string>()]
  const free = (taken: Set<string>, name: string, tell: (number: number) => string): string => {
    let found = name
    for (let number = 2; taken.has(found); number++) found = tell(number)
    taken.add(found)
    return found
  }
  return payloads.map(payload => ({
    ...payload,
    id: free(ids, payload.id, number => `${payload.id}-${number}`),
    title: free(titles, payload.title, number => `${payload.title} (${number})`),
  }))
}

/** The arguments of a command are an object, so that anything else is sent within one. */
const argumentsOf = (document: unknown): unknown =>
  typeof document === 'object' && document !== null && !Array.isArray(document) ? document : { document }

const casesOf = (payload: Payload): Case[] => [
  {
    id: `${payload.id}-1`,
    title: payload.title,
    task: { loop: 'calls', inFlight: 1 },
    payload,
    figures: [latency('p50', 'p50'), latency('p99', 'p99')],
  },
  {
    id: `${payload.id}-8`,
    title: `${payload.title}, 8 in flight`,
    task: { loop: 'calls', inFlight: 8 },
    payload,
    figures: [rate('rate', 'calls')],
  },
]

async function readPayload(path: string): Promise<Payload> {
  try {
    const document = JSON.parse(await readFile(path, 'utf8')) as unknown
    const title = oneLine(basename(path, extname(path)))
    return echoOf(
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '-')
        .replaceAll(/^-+|-+$/g, '') || 'document',
      title,
      [argumentsOf(document)],
    )
  } catch (error) {
    throw new UsageError(`--payload ${path}: ${(error as Error).message}`)
  }
}
