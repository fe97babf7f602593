import { expect, test } from 'vitest'
import { measureFresh, type FreshJob } from './measure-fresh.js'

const createJob = (kind: string): FreshJob => ({ plugin: kind })

test('rejects with the error of the measurement', async () => {
  await expect(measureFresh(createJob('nothing'))).rejects.toThrow("Unknown kind of plugin 'nothing'")
})

test('ends a process that takes too long', async () => {
  await expect(measureFresh(createJob('worker'), 1)).rejects.toThrow('No answer within 1 ms')
})
