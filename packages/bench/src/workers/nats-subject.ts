// NATS's own request and reply, as the README of its client has it: a subject for each command, JSON text, one message for a
// call and one for its answer. Nobody checks who calls, what, or in which order.
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { BACKEND_EVENT, echo, EVENT_PAYLOAD, FRONTEND_EVENT, greet } from './handlers.js'
import type { Subject } from './subject.js'

/** How both sides of such an arm are set up. */
export interface PlainNats {
  url: string
  /** Of its subjects: no other arm has it. */
  prefix: string
  /** With callbacks in place of loops, and without a stack for each request. */
  tuned: boolean
}

/** Milliseconds, for the largest document on the slowest machine. */
const TIMEOUT_MS = 60_000

const bodyOf = (value: unknown): string | Uint8Array =>
  value instanceof Uint8Array ? value : JSON.stringify(value ?? null)

export function natsSubject(connection: NatsConnection, { prefix }: PlainNats): Subject {
  return {
    call: async (command, args) => {
      const answer = await connection.request(`${prefix}.to.${command}`, bodyOf(args), { timeout: TIMEOUT_MS })
      return args instanceof Uint8Array ? answer.data : answer.json()
    },
    emit: (event, payload) => connection.publish(`${prefix}.to.${event}`, bodyOf(payload)),
    listen: async (event, receive) => {
      // In a loop they could come after an answer that was sent behind them.
      const callback = (_error: unknown, message: Msg): void => receive(message.json())
      const subscription = connection.subscribe(`${prefix}.from.${event}`, { callback })
      await connection.flush()
      return () => subscription.unsubscribe()
    },
    stream: () => Promise.reject(new Error('NATS has no channels')),
  }
}

/** Resolves once the server knows of it. */
export async function answerOverNats(connection: NatsConnection, { prefix, tuned }: PlainNats): Promise<void> {
  let seen = 0
  const handlers: Readonly<Record<string, (args: never) => unknown>> = {
    greet,
    echo,
    burst: ({ count }: { count: number }) => {
      for (let sent = 0; sent < count; sent++)
        connection.publish(`${prefix}.from.${BACKEND_EVENT}`, bodyOf(EVENT_PAYLOAD))
    },
    seen: () => {
      const before = seen
      seen = 0
      return before
    },
    [FRONTEND_EVENT]: () => seen++,
  }
  const answer = (message: Msg): void => {
    const name = message.subject.slice(message.subject.lastIndexOf('.') + 1)
    const result = name === 'echo_bytes' ? message.data : handlers[name]!(message.json())
    if (message.reply) message.respond(bodyOf(result))
  }
  const subject = `${prefix}.to.*`
  if (tuned) connection.subscribe(subject, { callback: (_error, message) => answer(message) })
  else void answerEach(connection.subscribe(subject), answer)
  await connection.flush()
}

async function answerEach(messages: AsyncIterable<Msg>, answer: (message: Msg) => void): Promise<void> {
  for await (const message of messages) answer(message)
}
