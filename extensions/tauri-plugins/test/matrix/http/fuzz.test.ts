// The calls of test/http/fuzz.test.ts, in greater number.
import { expect, test } from 'vitest'
import { collectUnhandled, connect } from '../../http/client.js'
import { fuzz } from '../../http/fuzz.js'
import { serve } from '../../http/servers.js'

test('100,000 calls with wrong types are answered, and core serves on', { timeout: 600_000 }, async () => {
  const seed = Math.trunc(Math.random() * 1e9)
  console.log(`seed ${seed}`)
  const server = await serve((_request, response) => void response.end('ok'))
  const { client, text } = await connect([`${server.origin}/*`])
  expect(await collectUnhandled(() => fuzz(client, server.origin, 100_000, seed))).toEqual([])
  expect(await text({ url: server.origin })).toBe('ok')
  await client.close()
  await expect.poll(() => server.sockets.size).toBe(0)
})
