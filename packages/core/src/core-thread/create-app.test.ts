// The order of setups and teardowns, and what happens when one fails.
import { expect, it } from 'vitest'
import { EMPTY_SCOPE } from '../acl/types.js'
import type { App } from '../api/app.js'
import { type CoreDefinition, plugin, type PluginApi } from '../api/define.js'
import { EventRouter } from '../events/router.js'
import { type AppDeps, createApp, LocalListeners, setupPlugins } from './create-app.js'

const neverAborted = new AbortController().signal

function createFixture(failing?: string) {
  const log: string[] = []
  const errors: unknown[] = []
  const app = { log: { error: ({ err }: { err: unknown }) => void errors.push(err) } } as unknown as App
  const createHooks = (name: string): { setup(): Promise<void>; teardown(): void } => ({
    async setup() {
      await Promise.resolve()
      if (name === failing) throw new Error('no db')
      log.push(`${name} set up`)
    },
    teardown: () => void log.push(`${name} torn down`),
  })
  const definition: CoreDefinition = {
    plugins: [plugin('a', createHooks('a')), plugin('b', createHooks('b'))],
    ...createHooks('core'),
  }
  const getApi = ({ name }: { name: string }): PluginApi => ({ name, config: { of: name }, scope: EMPTY_SCOPE.global })
  const run = () => setupPlugins(definition, app, getApi, async () => void log.push('resources closed'))
  return { log, errors, app, getApi, run }
}

it('sets up plugins in order and then core, and tears down in reverse', async () => {
  const { log, run } = createFixture()
  const tearDown = await run()
  await tearDown(neverAborted)
  expect(log).toEqual([
    'a set up',
    'b set up',
    'core set up',
    'core torn down',
    'b torn down',
    'a torn down',
    'resources closed',
  ])
})

it('names the plugin and tears down earlier ones when the setup of a plugin fails', async () => {
  const { log, run } = createFixture('b')
  await expect(run()).rejects.toMatchObject({
    name: 'BusError',
    reason: 'LoadFailed',
    message: 'failed to initialize plugin `b`: no db',
    cause: { message: 'no db' },
  })
  expect(log).toEqual(['a set up', 'a torn down', 'resources closed'])
})

it('names the core module and tears down the plugins when its setup fails', async () => {
  const { log, run } = createFixture('core')
  await expect(run()).rejects.toMatchObject({
    name: 'BusError',
    reason: 'LoadFailed',
    message: '`setup` of the core module failed: no db',
    cause: { message: 'no db' },
  })
  expect(log).toEqual(['a set up', 'b set up', 'b torn down', 'a torn down', 'resources closed'])
})

it('logs a teardown that throws, and runs the others', async () => {
  const { log, errors, app, getApi } = createFixture()
  const failing = plugin('failing', { teardown: () => Promise.reject(new Error('stuck')) })
  const first = plugin('first', { teardown: () => void log.push('first torn down') })
  const tearDown = await setupPlugins({ plugins: [first, failing] }, app, getApi, async () => {})
  await tearDown(neverAborted)
  expect(log).toEqual(['first torn down'])
  expect(errors).toMatchObject([{ message: 'stuck' }])
})

it('passes its name, config and scope to a plugin', async () => {
  const { app, getApi } = createFixture()
  const apis: PluginApi[] = []
  await setupPlugins(
    { plugins: [plugin('files', { setup: (_app, api) => void apis.push(api) })] },
    app,
    getApi,
    async () => {},
  )
  expect(apis).toEqual([{ name: 'files', config: { of: 'files' }, scope: EMPTY_SCOPE.global }])
})

it('takes an event from no listener because another one of core throws or rejects, and logs why', async () => {
  const router = new EventRouter()
  const failed: unknown[] = []
  const getLog = (): object => ({ error: ({ err }: { err: Error }) => void failed.push(err.message) })
  const app = createApp({ router, local: new LocalListeners(router), getLog } as unknown as AppDeps)
  const received: unknown[] = []
  app.listen('e', () => JSON.parse('thrown'))
  app.listen('e', () => Promise.reject(new Error('rejected')))
  app.once('e', () => JSON.parse('thrown, too'))
  app.listen('e', ({ payload }) => void received.push(payload))
  app.emit('e', 1)
  await new Promise(setImmediate)
  expect(received).toEqual([1])
  expect(failed).toHaveLength(3)
})
