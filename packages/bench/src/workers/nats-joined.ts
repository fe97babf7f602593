// The measuring thread of the bus over NATS: a process that has joined it, and whose own thread calls.
import { joinBus, type JoinOptions } from '@sallyport/nats'
import type { CommandArguments } from '@sallyport/frontend'
import { workerData } from 'node:worker_threads'
import { loopsOf } from './loops.js'
import { serveParent } from './serve-parent.js'
import type { Subject } from './subject.js'

export interface Joining {
  options: Pick<JoinOptions, 'nats' | 'bus' | 'app'>
  label: string
  credential: string
}

const { options, label, credential } = workerData as Joining
const joined = await joinBus({ ...options, credentials: [credential], log: false })
const client = await joined.connect(label, { codec: 'json' })

const subject: Subject = {
  call: (command, args) => client.invoke(command, args as CommandArguments),
  emit: (event, payload) => client.emit(event, payload),
  listen: (event, receive) => client.listen(event, ({ payload }) => receive(payload)),
  stream: (command, count, receive) => client.invoke(command, { count, channel: new client.Channel(receive) }),
}

serveParent(loopsOf(subject))
