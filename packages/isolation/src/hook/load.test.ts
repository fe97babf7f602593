import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { CONFIRM_WORD } from '@sallyport/protocol/internal/contract'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createConfirm } from './load.js'

const create = (port: Pick<MessagePort, 'postMessage'>, answer = new SharedArrayBuffer(4)) =>
  createConfirm({
    confirm: { port: port as MessagePort, answer },
    watch: { enter() {}, rest() {} },
    sleep: block => block(),
  })

test('confirm returns false without a port', () => {
  const confirm = createConfirm({ confirm: undefined, watch: { enter() {}, rest() {} }, sleep: block => block() })
  expect(confirm('sure?')).toBe(false)
})

test('confirm returns false when the port fails', () => {
  const broken = {
    postMessage: () => {
      throw new Error('closed')
    },
  }
  expect(create(broken)('sure?')).toBe(false)
})

test('confirm sleeps until another thread has stored the answer', () =>
  rows([
    [CONFIRM_WORD.yes, true],
    [CONFIRM_WORD.no, false],
    [7, false],
  ])(async (answer, expected) => {
    const memory = new SharedArrayBuffer(4)
    const { port1, port2 } = new MessageChannel()
    const host = new Worker(
      `const { parentPort, workerData: { port, memory, answer } } = require('node:worker_threads')
    const counter = new Int32Array(memory)
    port.on('message', ({ type, text }) => setTimeout(() => {
      Atomics.store(counter, 0, type === 'confirm' && text.startsWith('sure') ? answer : 0)
      Atomics.notify(counter, 0)
    }, 20))
    parentPort.postMessage('ready')`,
      { eval: true, workerData: { port: port2, memory, answer }, transferList: [port2] },
    )
    await new Promise(resolve => host.once('message', resolve))
    const confirm = create(port1, memory)
    expect([confirm('sure?'), confirm('sure, again?')]).toEqual([expected, expected])
    await host.terminate()
  }))
