// The setups of plugins and core, and their ends in reverse.
import { expect, it } from 'vitest'
import { EMPTY_SCOPE } from '../acl/scope.js'
import type { App } from '../api/app.js'
import { type CoreDefinition, plugin, type PluginApi } from '../api/define.js'
import { setupPlugins } from './lifecycle.js'

const never = new AbortController().signal

function traced(failing?: string) {
  const log: string[] = []
  const errors: unknown[] = []
  const app = { log: { error: ({ err }: { err: unknown }) => void errors.push(err) } } as unknown as App
  const life = (name: string): { setup(): Promise<void>; teardown(): void } => ({
    async setup() {
      await Promise.resolve()
      if (name === failing) throw new Error('no db')
      log.push(`${name} up`)
    },
    teardown: () => void log.push(`${name} down`),
  })
  const definition: CoreDefinition = { plugins: [plugin('a', life('a')), plugin('b', life('b'))], ...life('core') }
  const apiOf = ({ name }: { name: string }): PluginApi => ({ name, config: { of: name }, scope: EMPTY_SCOPE.global })
  const run = () => setupPlugins(definition, app, apiOf, async () => void log.push('resources closed'))
  return { log, errors, app, apiOf, run }
}

it('plugins in their order, then core; teardowns in reverse, once', async () => {
  const { log, run } = traced()
  const tearDown = await run()
  await tearDown(never)
  expect(log).toEqual(['a up', 'b up', 'core up', 'core down', 'b down', 'a down', 'resources closed'])
})

it('a setup that fails names its plugin, and what was set up is torn down', async () => {
  const { log, run } = traced('b')
  await expect(run()).rejects.toMatchObject({
    name: 'BusError',
    reason: 'InternalError',
    message: 'failed to initialize plugin `b`: no db',
    cause: { message: 'no db' },
  })
  expect(log).toEqual(['a up', 'a down', 'resources closed'])
})

it('core’s own setup fails with what it throws', async () => {
  const { log, run } = traced('core')
  await expect(run()).rejects.toThrow(/^no db$/)
  expect(log).toEqual(['a up', 'b up', 'b down', 'a down', 'resources closed'])
})

it('a teardown that throws is logged, and the others run', async () => {
  const { log, errors, app, apiOf } = traced()
  const failing = plugin('failing', { teardown: () => Promise.reject(new Error('stuck')) })
  const first = plugin('first', { teardown: () => void log.push('first down') })
  const tearDown = await setupPlugins({ plugins: [first, failing] }, app, apiOf, async () => {})
  await tearDown(never)
  expect(log).toEqual(['first down'])
  expect(errors).toMatchObject([{ message: 'stuck' }])
})

it('a plugin is told its name, config and scope', async () => {
  const { app, apiOf } = traced()
  const told: PluginApi[] = []
  await setupPlugins(
    { plugins: [plugin('files', { setup: (_app, api) => void told.push(api) })] },
    app,
    apiOf,
    async () => {},
  )
  expect(told).toEqual([{ name: 'files', config: { of: 'files' }, scope: EMPTY_SCOPE.global }])
})
