import { expect, test } from 'vitest'
import { measureFresh } from './measure-fresh.js'

test('rejects with the error of the measurement', async () => {
  await expect(measureFresh('plugin', { kind: 'nothing' })).rejects.toThrow("Unknown kind of plugin 'nothing'")
})

test('rejects when the process exits without a reply', async () => {
  await expect(measureFresh('missing', {})).rejects.toThrow('The process of the arm exited with code 1')
})

test('ends a process that takes too long', async () => {
  // An empty process with a listener does not exit by itself.
  await expect(measureFresh('empty-process', {}, { timeoutMs: 1 })).rejects.toThrow('No answer within 1 ms')
})
