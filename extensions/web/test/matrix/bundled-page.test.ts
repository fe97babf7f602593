// A page that a bundler has built, in a server of the host's own: nothing is injected, and its types come from the core module.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Bus, type Channel, createBus, defineCore } from '@sallyport/core'
import { serveFrontends, type WebServer } from '@sallyport/web'
import type { Browser, Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasChromium, launch } from '../browser.ts'

const core = defineCore({
  commands: {
    greet: ({ name }: { name: string }) => `Hello, ${name}!`,
    async count({ to, onNumber }: { to: number; onNumber: Channel<number> }) {
      for (let n = 1; n <= to; n++) await onNumber.send(n)
      onNumber.end()
    },
    async sum({ numbers }: { numbers: AsyncIterable<number> }) {
      let sum = 0
      for await (const number of numbers) sum += number
      return sum
    },
  },
})
const APP = `
  import * as web from '@sallyport/web/client'
  import * as frontend from '@sallyport/frontend'
  Object.assign(window, { web, frontend })`

let browser: Browser
let script: string
let bus: Bus
let web: WebServer
let server: Server
let url: string
/** The label that `authenticate` returns. */
let label: string | undefined

async function bundleApp(): Promise<string> {
  const load = (id: string) => (id === 'app' ? APP : undefined)
  const plugin = { name: 'app', resolveId: (id: string) => (id === 'app' ? id : undefined), load }
  const build = await rolldown({ input: 'app', platform: 'browser', plugins: [plugin], cwd: import.meta.dirname })
  const { output } = await build.generate({ format: 'iife' })
  await build.close()
  return output[0].code
}

const attach = (): Promise<WebServer> =>
  serveFrontends(bus, {
    server,
    frontends: { main: { allow: ['greet', 'count', 'sum'] } },
    authenticate: () => label,
  })

beforeAll(async () => {
  if (!hasChromium) return
  browser = await launch()
  script = await bundleApp()
})
afterAll(() => browser?.close())
beforeEach(async () => {
  label = 'main'
  server = createServer(({ url: path }, response) => {
    response.setHeader('content-type', path === '/app.js' ? 'text/javascript' : 'text/html')
    response.end(path === '/app.js' ? script : '<!doctype html><script src="/app.js"></script>')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  bus = await createBus({ core, log: false })
  web = await attach()
})
afterEach(async () => {
  await web.close()
  await bus.close()
  server.close()
  server.closeAllConnections()
})

/** Opens the page, which must not report an error. */
async function open(): Promise<Page> {
  const page = await browser.newPage()
  page.on('pageerror', error => expect.unreachable(`${error}`))
  await page.goto(url)
  return page
}

const run = <T>(page: Page, code: string): Promise<T> => page.evaluate(`(async () => { ${code} })()`)
const count = (Channel: string): string =>
  `const onNumber = new ${Channel}(); const all = []
   const counted = client.invoke('count', { to: 2, onNumber })
   for await (const n of onNumber) all.push(n)
   await counted; return all`

describe.skipIf(!hasChromium)('a bundled page', () => {
  test.each(['web.Channel', 'frontend.Channel', 'client.Channel'])(
    'passes a channel of the class %s',
    async Channel => {
      const page = await open()
      expect(await run(page, `const client = await web.connect(); ${count(Channel)}`)).toEqual([1, 2])
    },
  )

  test('passes streams to commands, and streams from its functions', async () => {
    const page = await open()
    const code = `
      async function* upTo({ count }) { for (let n = 0; n < count; n++) yield n }
      const client = await web.connect()
      client.expose({ upTo })
      return client.invoke('sum', { numbers: upTo({ count: 10 }) })`
    expect(await run(page, code)).toBe(45)
    const values: number[] = []
    for await (const value of bus.stream<number>('main', 'upTo', { count: 3 })) values.push(value)
    expect(values).toEqual([0, 1, 2])
  })

  test('calls with the functions of both packages once it is connected', async () => {
    const page = await open()
    const greet = (name: string): string => `await ${name}.invoke('greet', { name: '${name}' })`
    expect(await run(page, `return frontend.invoke('greet').catch(String)`)).toContain('call `await connect()`')
    await run(page, 'window.client = web.createClient(await web.connect())')
    for (const name of ['client', 'frontend', 'frontend.createClient()', 'web.createClient()']) {
      expect(await run(page, `return ${greet(name)}`)).toBe(`Hello, ${name}!`)
    }
  })

  test('gets its own client again if it connects twice, and another one after it has closed that', async () => {
    const page = await open()
    const code = `
      const [first, second] = await Promise.all([web.connect(), web.connect({ url: location.origin })])
      await first.close()
      const third = await web.connect()
      return [first === second, first === third, await third.invoke('greet', { name: 'again' })]`
    expect(await run(page, code)).toEqual([true, false, 'Hello, again!'])
  })

  test('calls with the functions of @sallyport/frontend again once its user has logged in again', async () => {
    const page = await open()
    await run(page, 'window.first = await web.connect()')
    label = undefined
    await web.close()
    web = await attach()
    await run(page, 'await first.closed')
    const greet = `return frontend.invoke('greet', { name: 'again' }).catch(({ reason }) => reason)`
    expect(await run(page, greet)).toBe('Disconnected')
    expect(await run(page, 'return web.connect().catch(({ reason }) => reason)')).toBe('Denied')
    label = 'main'
    expect(await run(page, `await web.connect(); ${greet}`)).toBe('Hello, again!')
  })

  test('learns whether it must log in or the server does not answer', async () => {
    const page = await open()
    const tryConnect = 'return web.connect().then(() => "connected", error => [error.reason, error.message])'
    label = undefined
    expect(await run(page, tryConnect)).toEqual(['Denied', expect.stringContaining('Log in')])
    label = 'main'
    expect(await run(page, tryConnect)).toBe('connected')
    await run(page, 'await (await web.connect()).close()')
    await web.close()
    const { host } = new URL(url)
    const outage = `The server at ws://${host}/sallyport refused the page or did not answer`
    expect(await run(page, tryConnect)).toEqual(['Disconnected', outage])
  })
})
