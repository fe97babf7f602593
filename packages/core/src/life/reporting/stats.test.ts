import { expect, it } from 'vitest'
import { createLatency } from '../../shared/metrics.js'
import { SessionTraffic } from './stats.js'

it('has no histogram before core has timed a call, and then one for all further links', () => {
  const traffic = new SessionTraffic()
  expect(traffic.attach().latency).toBeUndefined()
  expect(traffic.snapshot(true, false).latency.count).toBe(0)
  const latency = createLatency()
  latency.record(5000)
  traffic.addLatency(latency)
  expect(traffic.attach().latency).toBe(latency)
  expect(traffic.snapshot(true, false).latency.count).toBe(1)
})

it('counts durations of links that each have a histogram', () => {
  const traffic = new SessionTraffic()
  const [first, second] = [createLatency(), createLatency()]
  first.record(5000)
  second.record(9000)
  traffic.addLatency(second)
  traffic.addLatency(first)
  for (const latency of [first, second]) latency.record(7000)
  expect(traffic.snapshot(true, false).latency.count).toBe(4)
})

it('adds up the counts of links that follow each other', () => {
  const traffic = new SessionTraffic()
  for (const calls of [2, 3, 4]) new Float64Array(traffic.attach().counts)[0] = calls
  expect(traffic.snapshot(true, false).calls).toBe(9)
})
