import { MessageChannel, Worker } from 'node:worker_threads'
import { CONFIRM_WORD } from '@sallyport/protocol'
import { expect, test } from 'vitest'
import { createConfirm } from './confirm.js'

test('without a port the answer is no, at once', () => {
  expect(createConfirm(undefined, undefined)('sure?')).toBe(false)
  expect(createConfirm(undefined, new SharedArrayBuffer(4))('sure?')).toBe(false)
})

test('a port that fails is a no', () => {
  const broken = {
    postMessage: () => {
      throw new Error('closed')
    },
  }
  expect(createConfirm(broken, new SharedArrayBuffer(4))('sure?')).toBe(false)
})

test.each([
  [CONFIRM_WORD.yes, true],
  [CONFIRM_WORD.no, false],
  [7, false],
])('sleeps until another thread has stored an answer: %i', async (answer, expected) => {
  const memory = new SharedArrayBuffer(4)
  const { port1, port2 } = new MessageChannel()
  const host = new Worker(
    `const { parentPort, workerData: { port, memory, answer } } = require('node:worker_threads')
    const word = new Int32Array(memory)
    port.on('message', ({ type, text }) => setTimeout(() => {
      Atomics.store(word, 0, type === 'confirm' && text.startsWith('sure') ? answer : 0)
      Atomics.notify(word, 0)
    }, 20))
    parentPort.postMessage('ready')`,
    { eval: true, workerData: { port: port2, memory, answer }, transferList: [port2] },
  )
  await new Promise(resolve => host.once('message', resolve))
  const confirm = createConfirm(port1, new Int32Array(memory))
  expect([confirm('sure?'), confirm('sure, again?')]).toEqual([expected, expected])
  await host.terminate()
})
