import { afterEach, expect, test, vi } from 'vitest'
import { measureFresh, type FreshJob } from './measure-fresh.js'

const createJob = (kind: string): FreshJob => ({ plugin: kind })

afterEach(() => vi.unstubAllEnvs())

test('rejects with the error of the measurement', async () => {
  await expect(measureFresh(createJob('nothing'))).rejects.toThrow("Unknown kind of plugin 'nothing'")
})

test('rejects when the process exits without a reply', async () => {
  vi.stubEnv('NODE_OPTIONS', '--import data:text/javascript,process.exit(3)')
  await expect(measureFresh(createJob('worker'))).rejects.toThrow('The process of the arm exited with code 3')
})

test('ends a process that takes too long', async () => {
  await expect(measureFresh(createJob('worker'), 1)).rejects.toThrow('No answer within 1 ms')
})
