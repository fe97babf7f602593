// The other side of the reference: answers over a bare MessagePort. Runs in a worker of its own, as core does.
import { workerData, type MessagePort } from 'node:worker_threads'
import { Waiting } from './cancel.js'
import { FAN_SEEN, FanOut, type FanSeen } from './fan-out.js'
import {
  BACKEND_EVENT,
  eachEvent,
  echo,
  EVENT_PAYLOAD,
  fail,
  FRONTEND_EVENT,
  greet,
  progress,
  readKib,
  wideProgress,
  work,
} from './handlers.js'
import type { RawMessage } from './raw-subject.js'

type Handler = (value: never, call: number) => unknown

/** `listeners`: the ports of frontends that only listen. */
const { port, listeners = [] } = workerData as { port: MessagePort; listeners?: MessagePort[] }
const NO_ANSWER = Symbol('no answer')
const fan = new FanOut()
let events = 0
let poured = 0
const waiting = new Waiting()
const running = new Map<number, AbortController>()

const handlers = new Map<string, Handler>(
  Object.entries({
    greet,
    read_kib: readKib,
    work,
    fail,
    wait: ({ id }: { id: number }, call: number) => {
      const controller = new AbortController()
      running.set(call, controller)
      // Who has given up a call waits for no answer.
      waiting.wait(id, controller.signal).catch(() => running.delete(call))
      return NO_ANSWER
    },
    waits: ({ id }: { id: number }) => waiting.waits(id),
    heard: ({ id }: { id: number }) => waiting.heard(id),
    echo,
    echo_bytes: echo,
    burst: ({ count }: { count: number }) => {
      for (let sent = 0; sent < count; sent++) port.postMessage({ event: BACKEND_EVENT, value: EVENT_PAYLOAD })
    },
    burst_each: ({ count, listeners: many }: { count: number; listeners: number }) => {
      for (let sent = 0; sent < count; sent++) port.postMessage({ event: eachEvent(sent % many), value: EVENT_PAYLOAD })
    },
    fan_out: ({ count, frontends }: { count: number; frontends: number }) => {
      const ports = [port, ...listeners].slice(0, frontends)
      return fan.send(count, frontends, (event, value) => {
        for (const each of ports) each.postMessage({ event, value })
      })
    },
    pour: ({ count }: { count: number }, call: number) => {
      for (poured = 0; poured < count; poured++) port.postMessage({ stream: call, value: wideProgress(poured) })
      return { waited: 0 }
    },
    poured: () => poured,
    seen: () => {
      const seen = events
      events = 0
      return seen
    },
    download: ({ count }: { count: number }, call: number) => {
      for (let chunk = 0; chunk < count; chunk++) port.postMessage({ stream: call, value: progress(chunk) })
    },
  }),
)

const receiveEvent = (event: string | undefined, value: unknown): void => {
  if (event === FRONTEND_EVENT) events++
  else if (event === FAN_SEEN) fan.seen(value as FanSeen)
}

port.on('message', ({ call, cancel, command, event, value }: RawMessage) => {
  if (cancel !== undefined) return running.get(cancel)?.abort()
  if (call === undefined) return receiveEvent(event, value)
  let answer: unknown
  try {
    answer = handlers.get(command ?? '')?.(value as never, call)
  } catch (error) {
    return port.postMessage({ answer: call, error: (error as Error).message })
  }
  if (command === 'give_back') port.postMessage({ answer: call, value }, [(value as Uint8Array<ArrayBuffer>).buffer])
  else if (answer === NO_ANSWER) return
  else if (answer instanceof Promise) void answer.then(late => port.postMessage({ answer: call, value: late }))
  else port.postMessage({ answer: call, value: answer })
})

for (const listener of listeners) listener.on('message', ({ event, value }: RawMessage) => receiveEvent(event, value))
