import { Server } from 'node:net'
import { createBus, defineCore } from '@sallyport/core'
import { serveFrontends } from '@sallyport/web'
import { expect, onTestFinished, test, vi } from 'vitest'

test('a bus that closes before the server of a page listens leaves no server', async () => {
  const bus = await createBus({ core: defineCore({}), log: false })
  onTestFinished(() => void vi.restoreAllMocks())
  let server: Server | undefined
  vi.spyOn(Server.prototype, 'listen').mockImplementationOnce(function (this: Server, ...address: unknown[]) {
    void bus.close().then(() => (server = this.listen(...(address as []))))
    return this
  })
  const serving = serveFrontends(bus, { frontends: { main: { dir: new URL('./fixtures/', import.meta.url) } } })
  await expect(serving).rejects.toMatchObject({ reason: 'Disconnected' })
  expect(server!.listening).toBe(false)
})
