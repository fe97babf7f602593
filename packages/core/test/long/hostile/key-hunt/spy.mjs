// Loaded first in the threads that have the program's flags: records what they share with all threads, as
// environment data and over broadcast channels.
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { serialize } from 'node:v8'
import threads from 'node:worker_threads'

const note = (...args) => appendFileSync(`${process.env.KEY_HUNT}/shared`, serialize(args))
const { setEnvironmentData } = threads
const { postMessage } = BroadcastChannel.prototype
threads.setEnvironmentData = (...args) => {
  note(...args)
  return setEnvironmentData(...args)
}
BroadcastChannel.prototype.postMessage = function (message) {
  note(message)
  return postMessage.call(this, message)
}
syncBuiltinESMExports()

threads.setEnvironmentData('planted', `as data of thread ${threads.threadId};`)
const channel = new BroadcastChannel('planted')
channel.postMessage(`planted on a channel of thread ${threads.threadId};`)
channel.close()
