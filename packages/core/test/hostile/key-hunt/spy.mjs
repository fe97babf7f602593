// Loaded first in the threads that have the program's flags: writes down what they give to all threads at once, as
// environment data and over broadcast channels.
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { serialize } from 'node:v8'
import threads from 'node:worker_threads'

const note = (...given) => appendFileSync(`${process.env.KEY_HUNT}/shared`, serialize(given))
const { setEnvironmentData } = threads
const { postMessage } = BroadcastChannel.prototype
threads.setEnvironmentData = (...given) => {
  note(...given)
  return setEnvironmentData(...given)
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
