// Memory that 16 MiB to core and back cost: a small multiple of their size, for any pattern and link, also in a long run.
import { describe, expect, test } from 'vitest'
import { patterns, start } from './start.js'

const MiB = 2 ** 20
const SIZE = 16 * MiB

/** Returns by how many bytes the resident size grows while `run` runs. */
async function growth(run: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss()
  let most = before
  const sample = (): void => {
    most = Math.max(most, process.memoryUsage.rss())
  }
  const timer = setInterval(sample, 2)
  await run()
  sample()
  clearInterval(timer)
  return most - before
}

describe.each(patterns)('memory: %s', (_name, app) => {
  test.each([
    ['port', 'copied'],
    ['port', 'transferred'],
    ['ring', 'copied'],
    ['ring', 'transferred'],
  ] as const)('over a %s, %s', async (link, how) => {
    const client = await (await start({ app })).connect('tests', { link })
    await client.invoke('weigh', new Uint8Array(MiB))
    const once = async (): Promise<void> => {
      const data = new Uint8Array(SIZE).fill(3)
      const options = how === 'copied' ? {} : { transfer: [data.buffer] }
      const back = await client.invoke<{ data: Uint8Array }>('echo', { data }, options)
      expect(back.data.length).toBe(SIZE)
    }
    const first = await growth(once)
    const many = await growth(async () => {
      for (let i = 0; i < 20; i++) await once()
    })
    expect(first / SIZE, 'one').toBeLessThan(10)
    expect(many / SIZE, 'one after another').toBeLessThan(20)
  })
})
