// Wrong types for every command: each call settles, core lives, and nothing stays open.
import { expect, test } from 'vitest'
import { collectUnhandled, connect } from './client.js'
import { fuzz } from './fuzz.js'
import { serve } from './servers.js'

test('calls with wrong types are answered, and core serves on', async () => {
  const server = await serve((_request, response) => void response.end('ok'))
  const { client, text } = await connect([`${server.origin}/*`])
  expect(await collectUnhandled(() => fuzz(client, server.origin, 3000, 1))).toEqual([])
  expect(await text({ url: server.origin })).toBe('ok')
  await client.close()
  await expect.poll(() => server.sockets.size).toBe(0)
})
