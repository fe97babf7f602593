// Approvals that nobody has to store: as many as anyone has, and nothing of them in the host.
import { expect, test } from 'vitest'
import { answerWith, callOnce, connectStdio, createAnswering, type Round, startAsking } from '../asking.js'

const COUNT = 10_000
/** Calls at once. */
const LANES = 8
const KEPT = 100

test('10,000 questions wait, the host has nothing of them, and those that are answered go on', async () => {
  const bus = await startAsking()
  const client = await connectStdio(bus, createAnswering())
  const getCode = (n: number): string => `const held = ${n}; await invoke('ask', { asks: 'x' }); return held`
  const kept = new Map<number, Round>()
  let next = 0
  const ask = async (): Promise<void> => {
    for (let n = next++; n < COUNT; n = next++) {
      const round = await callOnce(client, { code: getCode(n) })
      if (n % (COUNT / KEPT) === 0) kept.set(n, round)
    }
  }
  await Promise.all(Array.from({ length: LANES }, ask))
  expect(kept.size).toBe(KEPT)
  expect(bus.frontends().map(({ label }) => label)).toEqual(['agent'])
  for (const [n, { requestState }] of [...kept].toReversed()) {
    const answered = await callOnce(client, { code: getCode(n) }, answerWith(requestState))
    expect(answered).toMatchObject({ content: [{ type: 'text', text: String(n) }] })
  }
}, 600_000)
