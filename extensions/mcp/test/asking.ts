// A bus with a tool that runs code, which asks the user, and clients of the SDK that answer or wait.
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Client, InMemoryTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type Bus, type BusOptions, command, createBus, defineCore, type RunReport } from '@sallyport/core'
import { afterTests } from '../../../scripts/testing.js'
import { z } from 'zod'
import { type AnsweredRun, serveMcp } from '../src/index.js'
import type { HttpTransport } from '../src/serve/serve-http.js'

export const KEY: Uint8Array = new Uint8Array(32).fill(5)
/** Asks once for each of `asks`, and returns the answers. */
export const CODE = `const all = []; for (const asks of ['a', 'b']) all.push(await invoke('ask', { asks })); return all.join()`

const closers: (() => unknown)[] = []
afterTests.each.push(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

/** @param effects - gets a line for each answer that the tool acts on */
export async function startAsking(effects: string[] = [], options: Partial<BusOptions> = {}): Promise<Bus> {
  const core = defineCore({
    commands: {
      ask: ({ asks }: { asks: unknown }, ctx) => ctx.interrupt(asks),
      async remove({ names }: { names: string[] }, ctx) {
        effects.push(`asks for ${names.join()}`)
        ctx.signal.addEventListener('abort', () => effects.push(`cancelled: ${(ctx.signal.reason as Error).message}`))
        const removed: string[] = []
        for (const name of names) if (await ctx.confirm(`Remove ${name}?`)) removed.push(name)
        return `removed: ${removed.join()}`
      },
      async removeBoth(_: unknown, ctx) {
        return (await Promise.all(['a', 'b'].map(name => ctx.confirm(`Remove ${name}?`)))).join()
      },
    },
  })
  const bus = await createBus({ core, log: false, runs: { key: KEY }, ...options })
  closers.push(() => bus.close({ timeout: 0 }))
  const running = { sandbox: 'quickjs', allow: ['ask'], report: true, timeout: 60_000 } as const
  const toValue = (report: RunReport): unknown => (report.status ? report : (report.value ?? report.error))
  const args = z.object({ code: z.string(), interruptedRun: z.any().optional() })
  const run = command({ args }, async ({ code, interruptedRun }: { code: string; interruptedRun?: AnsweredRun }) => {
    if (!interruptedRun) return toValue(await bus.run(code, running))
    const { continuation, data, answer } = interruptedRun
    effects.push(`${JSON.stringify(data)}: ${answer}`)
    return toValue(await bus.resume(continuation, { value: answer }, running))
  })
  await bus.addPlugin({ name: 'code', commands: { run }, permissions: [{ default: { permissions: ['allow-run'] } }] })
  return bus
}

const LABEL = { label: 'agent', allow: ['code:default', 'remove', 'removeBoth'] }

export async function serveOverHttp(bus: Bus, http: Partial<HttpTransport> = {}, label: object = {}): Promise<URL> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(() => server.close())
  closers.push(() => server.closeAllConnections())
  const errors: Error[] = []
  const transport = { server, ...http }
  const service = await serveMcp(bus, { ...LABEL, ...label, transport, onError: error => errors.push(error) })
  closers.push(() => service.close())
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
}

export type Answer = (question: string) => object | Promise<object>
const YES: Answer = () => ({ action: 'accept', content: { confirm: true } })

/** @param answer - `null` for a client that cannot ask its user */
export function createAnswering(answer: Answer | null = YES, mode: 'auto' | 'legacy' = 'auto'): Client {
  const capabilities = answer ? { elicitation: { form: {} } } : {}
  const client = new Client({ name: 'test', version: '1' }, { capabilities, versionNegotiation: { mode } })
  if (answer) client.setRequestHandler('elicitation/create', async ({ params }) => answer(params.message) as never)
  closers.push(() => client.close())
  return client
}

export async function connectHttp(url: URL, client: Client, authorization = ''): Promise<Client> {
  const requestInit = { headers: authorization ? { authorization } : {} }
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }))
  return client
}

export async function connectStdio(bus: Bus, client: Client, label = LABEL.label): Promise<Client> {
  const [transport, own] = InMemoryTransport.createLinkedPair()
  const service = await serveMcp(bus, { ...LABEL, label, transport })
  closers.push(() => service.close())
  await client.connect(own)
  return client
}

export interface Round {
  readonly inputRequests?: object
  readonly requestState?: string
  readonly content?: unknown
  readonly isError?: boolean
}

/** Calls the tool once, without answering what it asks. */
export const callOnce = (client: Client, args: object, more: object = {}, name = 'code__run'): Promise<Round> =>
  client.request({ method: 'tools/call', params: { name, arguments: args, ...more } } as never, {
    allowInputRequired: true,
  }) as Promise<Round>

export const answerWith = (requestState: string | undefined, confirm: boolean = true): object => ({
  requestState,
  inputResponses: { confirm: { action: 'accept', content: { confirm } } },
})
