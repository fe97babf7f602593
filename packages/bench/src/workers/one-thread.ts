// Both sides in this thread, and the loops as well.
import { createBus, defineCore } from '@sallyport/core'
import { MessageChannel, workerData } from 'node:worker_threads'
import type { OneThreadKind } from '../arms/one-thread.js'
import { greet } from './handlers.js'
import { loopsOf } from './loops.js'
import { rawSubject, type RawMessage } from './raw-subject.js'
import { serveParent } from './serve-parent.js'
import { callsOnly, type Subject } from './subject.js'

const { kind } = workerData as { kind: OneThreadKind }

serveParent(loopsOf(kind === 'raw' ? overPort() : await overBus(kind)))

function overPort(): Subject {
  const { port1, port2 } = new MessageChannel()
  port2.on('message', ({ call, value }: RawMessage) =>
    port2.postMessage({ answer: call, value: greet(value as never) }),
  )
  return rawSubject(port1)
}

async function overBus(codec: Exclude<OneThreadKind, 'raw'>): Promise<Subject> {
  const bus = await createBus({
    core: defineCore({ commands: { greet } }),
    app: { security: { capabilities: [{ identifier: 'main', windows: ['main'], permissions: ['allow-greet'] }] } },
  })
  const client = await bus.connect('main', { codec, link: 'port' })
  return callsOnly((command, args) => client.invoke(command, args as Parameters<typeof client.invoke>[1]))
}
