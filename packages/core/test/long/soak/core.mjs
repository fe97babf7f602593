// The commands of the soak: each kind of answer, and each failure of core.
import { command, defineCore } from '@sallyport/core'
import { setTimeout as delay } from 'node:timers/promises'
import { memory } from './memory.mjs'

const leaked = []

export const commands = {
  echo: args => args,
  later: async ({ ms }) => {
    await delay(ms)
    return ms
  },
  fails: () => {
    throw new Error('it broke')
  },
  never: (_args, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  bytes: (_args, { request }) => request.body,
  send: async ({ channel, count }) => {
    for (let i = 0; i < count; i++) await channel.send(i)
    channel.end()
  },
  stream: async function* ({ count, fail }) {
    for (let i = 0; i < count; i++) yield i
    if (fail) throw new Error('it broke')
  },
  ask: ({ label, name, args, timeout }, { app, signal }) => app.call(label, name, args, { signal, timeout }),
  hold: (_args, { app }) => app.resources.add({ close() {} }),
  heavy: command({ thread: new URL('heavy.mjs', import.meta.url) }),
  // Emits more than a blocked frontend can receive.
  pour: async ({ label, count, size }, { app }) => {
    const text = 'x'.repeat(size)
    for (let i = 0; i < count; i++) app.emitTo(label, 'poured', { i, text })
  },
  block: ({ ms }) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
  end: ({ how }) => {
    setTimeout(() => {
      if (how === 'exit') process.exit(3)
      throw new Error('core is ended')
    })
    return new Promise(() => {})
  },
  // `--leak`: shows that the soak finds leaks.
  leak_listeners: (_args, { app }) => {
    for (let i = 0; i < 20; i++) app.listen('leaked', () => {})
  },
  leak_signals: (_args, { signal }) => void leaked.push(signal),
  memory,
  // No capability allows it.
  forbidden: () => 'never seen',
}

export default defineCore({
  commands,
  setup: app => {
    app.listen('ping', ({ payload }) => app.emit('pong', payload))
  },
})
