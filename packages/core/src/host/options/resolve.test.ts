import { expect, test } from 'vitest'
import { resolveFrontend, resolveOptions } from './resolve.js'
import type { BusOptions, FrontendOptions } from './types.js'

const module = new URL(import.meta.url)
const inProcess = { kind: 'process' } as const
const resolve = (options: FrontendOptions) => resolveFrontend('bus.open', 'main', options, { codec: 'json' })

test.each<FrontendOptions>([
  { link: 'port' },
  { link: 'port', sandbox: 'permission' },
  { link: 'port', sandbox: 'ses' },
  { link: 'port', sandbox: inProcess },
])('a frontend in a sandbox cannot have a port: %j', options => {
  expect(() => resolve(options)).toThrow(/^bus\.open: link must not be "port" for a frontend in a sandbox: .*"none"/)
})

test.each<FrontendOptions>([
  { link: 'port', sandbox: 'none' },
  { link: 'ring' },
  { link: 'ring', sandbox: inProcess },
  { sandbox: 'none' },
  {},
])('accepts %j', options => {
  expect(resolve(options).link).toBe(options.link ?? 'auto')
})

const resolveBus = (options: Partial<BusOptions>) => resolveOptions({ core: module, ...options })

test('names the frontend whose link is refused', async () => {
  const frontends = { main: module, other: { module, link: 'port' } } as const
  await expect(resolveBus({ frontends })).rejects.toThrow(/^createBus: frontends\.other\.link must not be "port"/)
})

test('maxRecordAge is refused with the reason', async () => {
  const options = { maxRecordAge: 30_000 } as object
  const app: BusOptions['app'] = { security: { pattern: { use: 'isolation', options } } }
  await expect(resolveBus({ app })).rejects.toThrow(
    'createBus: app.security.pattern.options.maxRecordAge must be left out: ' +
      'a record goes straight from the gate to core, and has no age',
  )
})
