import { expect, test, vi } from 'vitest'
import { loadOnce } from './promises.js'

test('loads once for all callers, and again after a failure alone', async () => {
  const load = vi.fn<() => Promise<number>>().mockRejectedValueOnce(new Error('EMFILE')).mockResolvedValue(1)
  const get = loadOnce(load)
  const failed = [get(), get()]
  for (const each of failed) await expect(each).rejects.toThrow('EMFILE')
  expect(await Promise.all([get(), get()])).toEqual([1, 1])
  expect(load).toHaveBeenCalledTimes(2)
})
