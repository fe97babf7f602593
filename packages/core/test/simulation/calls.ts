// Code of a simulated frontend: calls of every kind, streams, channels that are read in every way, and events.
import { Channel } from '../../../frontend/src/client/channel.js'
import type { InvokeOptions } from '../../../frontend/src/client/arguments.js'
import { getOutcome, getText, type Ask, type Step, type Verdict } from './model/ask.js'
import { BOUNDS } from './bounds.js'
import type { CallArguments } from './commands.js'
import type { Frontend } from './frontend.js'
import { Stream } from './model/streams.js'
import type { Place } from './virtual/place.js'
import type { World } from './world.js'

const VERDICTS: readonly Verdict[] = [
  ...Array.from({ length: 20 }, (): Verdict => 'pass'),
  ...(['null', 'throws', 'later', 'later', 'later', 'later', 'laterNull', 'never'] as const),
]
const KINDS = [
  'now',
  'now',
  'now',
  'later',
  'wait',
  'fails',
  'bytes',
  'feed',
  'flood',
  'values',
  'upload',
  'shout',
  'relay',
] as const
/** Limit of calls that never end, so that the window has room for others. */
const MOST_ENDLESS = 8
/** About the size of a message without its ballast. */
const BYTES = 200
const RARE = ['denied', 'missing', 'dies'] as const

/** Makes one call of any kind. Never rejects: the outcome goes to the model. Resolves with it. */
export async function call(
  world: World,
  frontend: Frontend,
  kind?: string,
  step: Step = world.simulation,
): Promise<void> {
  const { clock } = world.simulation
  const { random } = step
  clock.place = frontend.thread
  const command = kind ?? (random.chance(0.08) ? random.pick(RARE) : random.pick(KINDS))
  // The host has no gate and no capabilities.
  if (command === 'denied' && frontend.isHost) return undefined
  const ask = begin(world, frontend, command, kind === undefined, step)
  ask.unlinked = frontend.knowsEnd
  ask.rejects = frontend.flow.overflow === 'reject'
  const args = createArguments(world, frontend, ask)
  const options = kind === undefined ? createOptions(world, ask) : {}
  if (frontend.epoch) {
    frontend.epoch.sent++
    frontend.epoch.bytes += estimateBytes(command, args as unknown as CallArguments)
  }
  if (command === 'values') return readStream(world, frontend, ask, args, options)
  if (command === 'feed' || command === 'flood') {
    args['channel'] = openChannel(world, frontend, ask)
  }
  if (command === 'upload') {
    const stream = new Stream(world.simulation, ask, BOUNDS.channelWindow)
    world.streams.set(ask.token, stream)
    stream.source = 'open'
    args['body'] = openSource(world, stream, args as unknown as CallArguments, frontend.thread)
  }
  return frontend.client.invoke(command, args, options).then(
    result => world.model.settled(ask, readResult(ask, args, result)),
    error => world.model.settled(ask, getOutcome(error), getText(error)),
  )
}

export function emit(world: World, frontend: Frontend, step: Step = world.simulation): void {
  const { random } = step
  const { epoch } = frontend
  if (!epoch || epoch.ended) return
  epoch.sent++
  const verdict = random.pick(VERDICTS)
  const payload = {
    token: world.model.emits(epoch, frontend.order++, verdict, step),
    verdict,
    hookMs: random.below(40),
  }
  world.simulation.trace(() => `${frontend.place.name}: emits ${payload.token}, hook: ${verdict}`)
  frontend.client.emit('up', payload).catch((error: unknown) => {
    const outcome = getOutcome(error)
    world.model.refused(payload.token)
    const mayBe = epoch.ended ? 'Disconnected no' : 'Overloaded no'
    if (outcome !== mayBe) world.simulation.fault(`event ${payload.token} was refused: ${outcome}`)
  })
}

function begin(world: World, frontend: Frontend, command: string, isFree: boolean, step: Step): Ask {
  const { random } = step
  const { place, epoch } = frontend
  const isCompared = step.name !== undefined
  return world.model.ask({
    command,
    by: place.name,
    epoch,
    verdict: isFree && random.chance(0.005) ? 'dies' : isFree || isCompared ? random.pick(VERDICTS) : 'pass',
    order: frontend.order++,
    step,
    isOrphan: () => place.dead,
  })
}

function createArguments(world: World, frontend: Frontend, ask: Ask): Record<string, unknown> {
  const { token, verdict, command, step } = ask
  const { random } = step
  const args: Partial<CallArguments> = {
    token,
    verdict,
    hookMs: random.below(40),
    ms: random.below(40),
    count: 1 + random.few(3 * BOUNDS.channelWindow),
    label:
      step.name === undefined ? random.pick(world.frontends.filter(({ isHost }) => !isHost)).label : frontend.label,
  }
  if (args.ms === 0 && command === 'wait') {
    const canBeEndless = step.name === undefined && frontend.flow.maxInFlight === undefined
    if (canBeEndless && frontend.endless++ < MOST_ENDLESS) ask.endless = true
    else args.ms = 1
  }
  if (random.chance(0.3)) args.text = 'x'.repeat(random.few(2000))
  if (command === 'bytes') args.data = random.bytes(random.few(6 * BOUNDS.attachment))
  return args as Record<string, unknown>
}

/** Returns about how many bytes a call causes, in both directions together. */
function estimateBytes(command: string, { text, count, data }: CallArguments): number {
  const messages = ['feed', 'flood', 'values', 'upload'].includes(command) ? count : 1
  return messages * (BYTES + (text?.length ?? 0)) + (data?.byteLength ?? 0)
}

function createOptions(world: World, ask: Ask): InvokeOptions {
  const { random, clock } = world.simulation
  const options: InvokeOptions = {}
  if (random.chance(0.15)) options.timeout = ask.timeout = random.chance(0.5) ? 1 + random.below(60) : 3_600_000
  if (random.chance(0.15)) {
    const controller = new AbortController()
    options.signal = controller.signal
    clock.after(random.next() * 60, () => {
      ask.aborted = true
      controller.abort()
    })
  }
  return options
}

function readResult(ask: Ask, args: Record<string, unknown>, result: unknown): string {
  if (ask.command === 'bytes') return isSame(result, args['data']) ? 'ok' : 'other bytes'
  const { token, text } = result as CallArguments
  return token === ask.token && text === args['text'] ? 'ok' : `the result of call ${token}`
}

const isSame = (value: unknown, other: unknown): boolean =>
  value instanceof Uint8Array && other instanceof Uint8Array && Buffer.compare(value, other) === 0

function openChannel(world: World, frontend: Frontend, ask: Ask): Channel {
  const { clock } = world.simulation
  const { random } = ask.step
  const stream = new Stream(world.simulation, ask, BOUNDS.channelWindow)
  world.streams.set(ask.token, stream)
  const channel = new Channel()
  const way = random.pick(['fast', 'late', 'slow', 'leaves'])
  const handle = (message: unknown): void => stream.take(message)
  if (way === 'fast' || way === 'late') channel.onend = () => stream.end()
  if (way === 'fast') channel.onmessage = handle
  if (way === 'late') clock.after(random.below(100), () => (channel.onmessage = handle))
  if (way === 'slow' || way === 'leaves') void read(world, frontend, channel, stream, way === 'leaves')
  return channel
}

/** A source that records what is read from it, and that it is closed. */
export function openSource({ simulation }: World, stream: Stream, args: CallArguments, place: Place): object {
  const { token, count, text, ms } = args
  const done = { done: true, value: undefined } as const
  const close = (): typeof done => {
    if (stream.source) stream.source = 'closed'
    return done
  }
  const next = async (): Promise<object> => {
    if (stream.sent > 0) stream.room()
    stream.complete = stream.sent === count
    if (stream.complete) return close()
    if (ms % 4 === 0) await simulation.clock.sleep(ms, place)
    return { done: false, value: { token, index: stream.sent++, text } }
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: async () => close() }) }
}

/** Reads an iterable to its end, or leaves early. @throws the errors of the iterable */
async function read(
  world: World,
  frontend: Frontend,
  source: AsyncIterable<unknown>,
  stream: Stream,
  leaves: boolean,
): Promise<void> {
  const { clock } = world.simulation
  const { random } = stream.ask.step
  const most = leaves ? random.below(20) : Infinity
  for await (const message of source) {
    stream.take(message)
    if (stream.taken > most) {
      stream.leaves = true
      return
    }
    if (random.chance(0.3) && !frontend.place.dead) await clock.sleep(random.next() * 10, frontend.thread)
  }
  stream.end()
}

async function readStream(
  world: World,
  frontend: Frontend,
  ask: Ask,
  args: object,
  options: InvokeOptions,
): Promise<void> {
  const { random } = ask.step
  const stream = new Stream(world.simulation, ask, BOUNDS.channelWindow)
  world.streams.set(ask.token, stream)
  try {
    const leaves = random.chance(0.2)
    await read(world, frontend, frontend.client.stream('values', { ...args }, options), stream, leaves)
    if (stream.leaves) ask.aborted = true
    world.model.settled(ask, stream.leaves ? 'Cancelled' : 'ok')
  } catch (error) {
    stream.end()
    world.model.settled(ask, getOutcome(error), getText(error))
  }
}
