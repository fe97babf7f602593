// What a simulated frontend's own code does: calls of every kind, streams, channels that are read in every way, and events.
import { Channel } from '../../../frontend/src/client/channel.js'
import type { InvokeOptions } from '../../../frontend/src/client/options.js'
import { outcomeOf, type Ask, type Verdict } from './ask.js'
import { BOUNDS } from './bounds.js'
import type { Told } from './commands.js'
import type { Frontend } from './frontend.js'
import { Stream } from './streams.js'
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
  'shout',
  'relay',
] as const
/** Calls that never end, so that others still have room in the window. */
const MOST_ENDLESS = 8
/** Of a message beside its ballast, about. */
const BYTES = 200
const RARE = ['denied', 'missing', 'dies'] as const

/** One call, of any kind. It never rejects: what becomes of it goes to the model. */
export function call(world: World, frontend: Frontend, kind?: string): void {
  const { random } = world.simulation
  const command = kind ?? (random.chance(0.08) ? random.pick(RARE) : random.pick(KINDS))
  // The host has neither a gate nor capabilities.
  if (command === 'denied' && frontend.isHost) return
  const ask = begin(world, frontend, command, kind === undefined)
  ask.unlinked = frontend.knowsEnd
  ask.rejects = frontend.flow.overflow === 'reject'
  const told = argumentsOf(world, frontend, ask)
  const options = kind === undefined ? optionsOf(world, ask) : {}
  if (frontend.epoch) {
    frontend.epoch.sent++
    frontend.epoch.bytes += bytesOf(command, told as unknown as Told)
  }
  if (command === 'values') return void readStream(world, frontend, ask, told, options)
  if (command === 'feed' || command === 'flood') {
    told['channel'] = openChannel(world, frontend, ask)
  }
  frontend.client.invoke(command, told, options).then(
    result => world.model.settled(ask, resultOf(ask, told, result)),
    error => world.model.settled(ask, outcomeOf(error)),
  )
}

export function emit(world: World, frontend: Frontend): void {
  const { random } = world.simulation
  const { epoch } = frontend
  if (!epoch || epoch.ended) return
  epoch.sent++
  const verdict = random.pick(VERDICTS)
  const payload = { token: world.model.emits(epoch, frontend.order++, verdict), verdict, hookMs: random.below(40) }
  world.simulation.trace(() => `${frontend.place.name}: emits ${payload.token}, hook: ${verdict}`)
  frontend.client.emit('up', payload).catch((error: unknown) => {
    const outcome = outcomeOf(error)
    world.model.refused(payload.token)
    const mayBe = epoch.ended ? 'Disconnected no' : 'Overloaded no'
    if (outcome !== mayBe) world.simulation.fault(`event ${payload.token} was refused: ${outcome}`)
  })
}

function begin(world: World, frontend: Frontend, command: string, isFree: boolean): Ask {
  const { random } = world.simulation
  const { place, epoch } = frontend
  return world.model.ask({
    command,
    by: place.name,
    epoch,
    verdict: isFree ? (random.chance(0.005) ? 'dies' : random.pick(VERDICTS)) : 'pass',
    order: frontend.order++,
    isOrphan: () => place.dead,
  })
}

function argumentsOf(world: World, frontend: Frontend, ask: Ask): Record<string, unknown> {
  const { random } = world.simulation
  const { token, verdict, command } = ask
  const told: Partial<Told> = {
    token,
    verdict,
    hookMs: random.below(40),
    ms: random.below(40),
    count: 1 + random.few(3 * BOUNDS.channelWindow),
    label: random.pick(world.frontends.filter(({ isHost }) => !isHost)).label,
  }
  if (told.ms === 0 && command === 'wait') {
    if (frontend.flow.window === undefined && frontend.endless++ < MOST_ENDLESS) ask.endless = true
    else told.ms = 1
  }
  if (random.chance(0.3)) told.text = 'x'.repeat(random.few(2000))
  if (command === 'bytes') told.data = random.bytes(random.few(6 * BOUNDS.attachment))
  return told as Record<string, unknown>
}

/** Of what it will make of traffic, the one or the other way. */
function bytesOf(command: string, { text, count, data }: Told): number {
  const messages = ['feed', 'flood', 'values'].includes(command) ? count : 1
  return messages * (BYTES + (text?.length ?? 0)) + (data?.byteLength ?? 0)
}

function optionsOf(world: World, ask: Ask): InvokeOptions {
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

function resultOf(ask: Ask, told: Record<string, unknown>, result: unknown): string {
  if (ask.command === 'bytes') return isSame(result, told['data']) ? 'ok' : 'other bytes'
  const { token, text } = result as Told
  return token === ask.token && text === told['text'] ? 'ok' : `the result of call ${token}`
}

const isSame = (one: unknown, other: unknown): boolean =>
  one instanceof Uint8Array && other instanceof Uint8Array && Buffer.compare(one, other) === 0

function openChannel(world: World, frontend: Frontend, ask: Ask): Channel {
  const { random, clock } = world.simulation
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

/** To its end, or leaves early. @throws what the iterable throws */
async function read(
  world: World,
  frontend: Frontend,
  source: AsyncIterable<unknown>,
  stream: Stream,
  leaves: boolean,
): Promise<void> {
  const { random, clock } = world.simulation
  const most = leaves ? random.below(20) : Infinity
  for await (const message of source) {
    stream.take(message)
    if (stream.taken > most) {
      stream.leaves = true
      return
    }
    if (random.chance(0.3) && !frontend.place.dead) await clock.sleep(random.next() * 10)
  }
  stream.end()
}

async function readStream(
  world: World,
  frontend: Frontend,
  ask: Ask,
  told: object,
  options: InvokeOptions,
): Promise<void> {
  const { random } = world.simulation
  const stream = new Stream(world.simulation, ask, BOUNDS.channelWindow)
  world.streams.set(ask.token, stream)
  try {
    const leaves = random.chance(0.2)
    await read(world, frontend, frontend.client.stream('values', { ...told }, options), stream, leaves)
    if (stream.leaves) ask.aborted = true
    world.model.settled(ask, stream.leaves ? 'Cancelled' : 'ok')
  } catch (error) {
    stream.end()
    world.model.settled(ask, outcomeOf(error))
  }
}
