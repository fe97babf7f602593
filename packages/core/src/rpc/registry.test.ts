// @vitest-environment-options { "alone": "registry" }
import { Worker } from 'node:worker_threads'
import { expect, test, vi } from 'vitest'
import { limitHeap } from '../shared/heap-limit.js'
import { createPool } from './registry.js'

vi.mock(import('../shared/heap-limit.js'), async original => ({
  ...(await original()),
  limitHeap: vi.fn<typeof limitHeap>(),
}))

test('limits the heap of each thread', async () => {
  const limits = { maxOldGenerationSizeMb: 64 }
  const pool = createPool(() => expect.unreachable(), limits)
  const module = new URL('data:text/javascript,export default n => n + 1')
  await expect(pool.run('add', module, 1, new AbortController().signal)).resolves.toBe(2)
  await pool.close()
  expect(vi.mocked(limitHeap).mock.calls).toEqual([[expect.any(Worker), limits]])
})
