// The worker threads of arms over a network: `workerData` names the export that one runs, which loads what only it needs.
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import type { JoinOptions } from '@sallyport/nats'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { createBackend, FRONTEND_EVENT } from '../loops/handlers.js'
import { createLoops, serveParent } from '../loops/serve.js'
import { checkAnswer, percentiles, prepareCall, type Subject } from '../loops/subject.js'
import { usualCall } from '../payloads/payloads.js'

/** The paths that control the host's calls, and the answer of its server to all others. */
const HTTP_PATH = { start: '/start/', stop: '/stop', ping: '/ping' } as const
const HTTP_ANSWER = { status: 'well' }

/** Calls in each millisecond, one after the other: 8000 a second. */
const PACED_CALLS = 8

/** A host with an HTTP server, whose thread is a client of its own bus too. Its calls are started and stopped over HTTP. */
export async function hostHttp(poll: boolean): Promise<void> {
  const [{ createBus }, { createServer }] = await Promise.all([import('@sallyport/core'), import('node:http')])
  const bus = await createBus({ core: new URL('core.js', import.meta.url), log: false })
  const client = await bus.connect('host-client', { codec: 'json', link: 'ring', poll })
  const call = prepareCall(usualCall.calls[0]!)
  /** Resolves to the number of calls; rejects if one of them had a wrong answer. */
  let stopCalls = async (): Promise<number> => 0

  async function callUntil(isStopped: () => boolean, isPaced: boolean): Promise<number> {
    let calls = 0
    while (!isStopped()) {
      const burst = isPaced ? PACED_CALLS : 1
      for (let made = 0; made < burst; made++) {
        checkAnswer(call, await client.invoke(call.command, call.args as Record<string, unknown>))
        calls++
      }
      if (isPaced) await delay(1)
    }
    return calls
  }

  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const { url = '' } = request
    if (url.startsWith(HTTP_PATH.start)) {
      let isStopped = false
      const done = callUntil(() => isStopped, url.endsWith('paced'))
      stopCalls = () => {
        isStopped = true
        return done
      }
      answer(200, null)
    } else if (url === HTTP_PATH.stop) {
      stopCalls().then(
        calls => answer(200, calls),
        (error: unknown) => answer(500, String(error)),
      )
    } else answer(200, HTTP_ANSWER)
  })
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port))
}

/** Sends requests to the host's server, one after the other over one connection, while the host calls. */
export async function measureHttp(port: number): Promise<void> {
  const [{ Agent, get }, { text }] = await Promise.all([import('node:http'), import('node:stream/consumers')])
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const expected = JSON.stringify(HTTP_ANSWER)

  async function request(path: string): Promise<string> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path, agent }, resolve).on('error', reject)
    })
    const body = await text(response)
    if (response.statusCode !== 200) throw new Error(`The host's server answered ${response.statusCode}: ${body}`)
    return body
  }

  async function requestFor(ms: number): Promise<Float64Array> {
    const latencies: number[] = []
    const end = performance.now() + ms
    let now = performance.now()
    do {
      const start = now
      const body = await request(HTTP_PATH.ping)
      now = performance.now()
      latencies.push(now - start)
      if (body !== expected) throw new Error(`The host's server answered ${body}`)
    } while (now < end)
    return Float64Array.from(latencies)
  }

  serveParent(async ({ ms, settleMs = 0, pace = 'paced' }) => {
    await request(HTTP_PATH.start + pace)
    const start = performance.now()
    await requestFor(settleMs)
    const latencies = await requestFor(ms)
    const elapsed = performance.now() - start
    const calls = Number(await request(HTTP_PATH.stop))
    if (calls === 0) throw new Error('The host made no calls')
    return { ...percentiles(latencies), rate: (calls / elapsed) * 1e3 }
  })
}

/** How both threads of an arm over plain NATS are set up. */
export interface PlainNats {
  url: string
  /** Prefix of the arm's own subjects. */
  prefix: string
  /** With callbacks instead of loops, and without a stack trace for each request. */
  tuned: boolean
}

/** Milliseconds: enough for the largest document on the slowest machine. */
const NATS_TIMEOUT_MS = 60_000

async function connectToNats({ url, tuned }: PlainNats): Promise<NatsConnection> {
  const { connect } = await import('@nats-io/transport-node')
  return connect({ servers: url, noAsyncTraces: tuned })
}

const toBody = (value: unknown): string | Uint8Array =>
  value instanceof Uint8Array ? value : JSON.stringify(value ?? null)

/**
 * NATS's own request and reply, as the README of its client uses it: a subject for each command, JSON text, one message for a call
 * and one for its answer. Nothing is checked.
 */
export async function measureNats(plain: PlainNats): Promise<void> {
  const connection = await connectToNats(plain)
  const { prefix } = plain
  const subject: Subject = {
    call: async (command, args) => {
      const answer = await connection.request(`${prefix}.to.${command}`, toBody(args), { timeout: NATS_TIMEOUT_MS })
      return args instanceof Uint8Array ? answer.data : answer.json()
    },
    emit: (event, payload) => connection.publish(`${prefix}.to.${event}`, toBody(payload)),
    listen: async (event, receive) => {
      // A loop could deliver an event after an answer that was sent behind it.
      const callback = (_error: unknown, message: Msg): void => receive(message.json())
      const subscription = connection.subscribe(`${prefix}.from.${event}`, { callback })
      await connection.flush()
      return () => subscription.unsubscribe()
    },
    stream: () => Promise.reject(new Error('NATS has no channels')),
  }
  serveParent(createLoops(subject))
}

/** Posts a message once the server knows the subscription. */
export async function answerNats(plain: PlainNats): Promise<void> {
  const connection = await connectToNats(plain)
  const { prefix, tuned } = plain
  const emit = (event: string, payload: unknown): void => connection.publish(`${prefix}.from.${event}`, toBody(payload))
  const { commands, receive } = createBackend(() => emit)
  const answer = (message: Msg): void => {
    const name = message.subject.slice(message.subject.lastIndexOf('.') + 1)
    if (name === FRONTEND_EVENT) return receive(name, message.json())
    const result = name === 'echo_bytes' ? message.data : commands[name]!(message.json<never>())
    if (message.reply) message.respond(toBody(result))
  }
  const answerEach = async (messages: AsyncIterable<Msg>): Promise<void> => {
    for await (const message of messages) answer(message)
  }
  const subject = `${prefix}.to.*`
  if (tuned) connection.subscribe(subject, { callback: (_error, message) => answer(message) })
  else void answerEach(connection.subscribe(subject))
  await connection.flush()
  parentPort?.postMessage('ready')
}

/** A process that has joined the bus over NATS, whose own thread calls. */
export async function measureJoined(options: JoinOptions, label: string): Promise<void> {
  const { joinBus } = await import('@sallyport/nats')
  const joined = await joinBus(options)
  const client = await joined.connect(label, { codec: 'json' })
  const subject: Subject = {
    call: (command, args) => client.invoke(command, args as Record<string, unknown>),
    emit: (event, payload) => client.emit(event, payload),
    listen: (event, receive) => client.listen(event, ({ payload }) => receive(payload)),
    stream: (command, count, receive) => client.invoke(command, { count, channel: new client.Channel(receive) }),
  }
  serveParent(createLoops(subject))
}

const roles = { hostHttp, measureHttp, measureNats, answerNats, measureJoined }
const { role, args } = workerData as { role: keyof typeof roles; args: unknown[] }
await (roles[role] as (...args: unknown[]) => unknown)(...args)
