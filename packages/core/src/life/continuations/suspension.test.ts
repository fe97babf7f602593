import { serializeValue } from '@sallyport/protocol/internal/contract'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import { expect, test, vi } from 'vitest'
import { Suspension } from './suspension.js'

const data = serializeValue(null)

test('holds no more interruptions than a script has calls in flight', async () => {
  const suspension = new Suspension()
  for (let n = 0; n <= MAX_IN_FLIGHT; n++) suspension.interrupted({ token: `token ${n}`, data })
  const suspended: string[] = []
  void suspension.whenSuspended.then(({ interrupted }) => suspended.push(...interrupted.map(({ token }) => token)))
  suspension.stopped({ snapshot: Uint8Array.of(1), tokens: [`token ${MAX_IN_FLIGHT}`] })
  await new Promise(setImmediate)
  expect(suspended).toEqual([])
})

test('is suspended once all calls that its script waits for were interrupted, whoever says so first', async () => {
  const reports = ['first', 'second'].map(token => ({ token, data }))
  const suspension = new Suspension()
  const suspended = vi.fn<(script: unknown) => void>()
  void suspension.whenSuspended.then(suspended)
  suspension.interrupted(reports[1]!)
  suspension.stopped({ snapshot: Uint8Array.of(1), tokens: ['first', 'second'] })
  await new Promise(setImmediate)
  expect(suspended).not.toHaveBeenCalled()
  suspension.interrupted(reports[0]!)
  await new Promise(setImmediate)
  expect(suspended.mock.calls).toEqual([[{ snapshot: Uint8Array.of(1), interrupted: reports }]])
})

test('takes a script that stopped with the last interruption that it holds', async () => {
  const suspension = new Suspension()
  for (let n = 0; n < MAX_IN_FLIGHT; n++) suspension.interrupted({ token: `token ${n}`, data })
  const [snapshot, token] = [Uint8Array.of(1), `token ${MAX_IN_FLIGHT - 1}`]
  suspension.stopped({ snapshot, tokens: [token] })
  expect(await suspension.whenSuspended).toEqual({ snapshot, interrupted: [{ token, data }] })
})

test('is not suspended by a script that names one call twice', async () => {
  const suspension = new Suspension([{ token: 'first', data }])
  const suspended = vi.fn<(script: unknown) => void>()
  void suspension.whenSuspended.then(suspended)
  suspension.stopped({ snapshot: Uint8Array.of(1), tokens: ['first', 'first'] })
  await new Promise(setImmediate)
  expect(suspended).not.toHaveBeenCalled()
})
