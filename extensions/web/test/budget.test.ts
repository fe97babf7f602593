// The budget of calls in the life of a label's pages.
import { createBus, defineCore } from '@sallyport/core'
import { serveFrontends, type WebServer } from '@sallyport/web'
import { connect } from '@sallyport/web/client'
import { expect, test } from 'vitest'

const dir = new URL('./fixtures/', import.meta.url)

/** Makes calls in one visit of a page. Returns how they ended. */
async function visit({ url }: WebServer, count: number): Promise<string[]> {
  const client = await connect({ url })
  const call = () => client.invoke<string>('touch').catch((error: { reason: string }) => error.reason)
  const outcomes = await Promise.all(Array.from({ length: count }, call))
  await client.close()
  return outcomes
}

test('all pages of a label share a budget, a page that comes back soon goes on with it, and a label that was closed begins anew', async () => {
  const core = defineCore({ commands: { touch: () => 'touched' } })
  const bus = await createBus({ core, log: false, calls: { quotas: [{ commands: ['touch'], calls: 3 }] } })
  const serve = (): Promise<WebServer> =>
    serveFrontends(bus, { frontends: { main: { dir, allow: ['touch'], multiple: true } } })
  try {
    const web = await serve()
    expect(await Promise.all([visit(web, 1), visit(web, 1)])).toEqual([['touched'], ['touched']])
    expect(await visit(web, 2)).toEqual(['touched', 'Overloaded'])
    expect(await visit(web, 1)).toEqual(['Overloaded'])
    await web.close()
    const next = await serve()
    expect(await visit(next, 4)).toEqual(['touched', 'touched', 'touched', 'Overloaded'])
  } finally {
    await bus.close()
  }
})
