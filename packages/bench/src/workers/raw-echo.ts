// The other side of the reference: answers over a bare MessagePort. Runs in a worker of its own, as core does.
import { workerData, type MessagePort } from 'node:worker_threads'
import { BACKEND_EVENT, echo, EVENT_PAYLOAD, FRONTEND_EVENT, greet, progress } from './handlers.js'
import type { RawMessage } from './raw-subject.js'

type Handler = (value: never, call: number) => unknown

const { port } = workerData as { port: MessagePort }
let events = 0

const handlers = new Map<string, Handler>(
  Object.entries({
    greet,
    echo,
    echo_bytes: echo,
    burst: ({ count }: { count: number }) => {
      for (let sent = 0; sent < count; sent++) port.postMessage({ event: BACKEND_EVENT, value: EVENT_PAYLOAD })
    },
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

port.on('message', ({ call, command, event, value }: RawMessage) => {
  if (call === undefined) {
    if (event === FRONTEND_EVENT) events++
    return
  }
  const handler = handlers.get(command ?? '')
  port.postMessage({ answer: call, value: handler?.(value as never, call) })
})
