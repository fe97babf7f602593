// On a clock of the test's own: the process is a double.
import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { closeIdlePipes } from './close-idle-pipes.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate'] }))
afterEach(() => void vi.useRealTimers())

class Pipe {
  bytesRead = 0
  destroyed = false
  isWaiting = false
  isPaused = (): boolean => this.isWaiting
  destroy = (): void => void (this.destroyed = true)
}

function start() {
  const [output, link] = [new Pipe(), new Pipe()]
  const child = Object.assign(new EventEmitter(), { stdio: [null, output, undefined, link] })
  closeIdlePipes(child as never)
  return { child, output, link }
}

const pass = (): void => void vi.advanceTimersByTime(501)

test('a pipe is closed once nothing arrives in it, while another one is read', () => {
  const { child, output, link } = start()
  for (let passed = 0; passed < 20; passed++) {
    output.bytesRead += 1000
    pass()
  }
  expect([output.destroyed, link.destroyed]).toEqual([false, true])
  expect(child.listenerCount('close')).toBe(1)
  pass()
  expect(output.destroyed).toBe(true)
})

test('a pipe that waits for the host is not closed', () => {
  const { output } = start()
  output.isWaiting = true
  pass()
  expect(output.destroyed).toBe(false)
  output.isWaiting = false
  pass()
  expect(output.destroyed).toBe(true)
})

test('no timer is left once all of them have closed', () => {
  const { child } = start()
  expect(vi.getTimerCount()).toBe(1)
  child.emit('close')
  expect(vi.getTimerCount()).toBe(0)
})
