// A host of an ordinary user, who may make no cgroup. Prints what each sandbox does.
import { createBus, defineCore } from '@sallyport/core'

const module = new URL('frontend.mjs', import.meta.url)
const script = { source: `sallyport.expose({ add: ({ a, b }) => a + b })` }
const options = { supervision: { restart: 'temporary' } }
const bus = await createBus({ core: defineCore({}), log: false })
/** Resolves with the error that ends a frontend. */
const nextFault = () => new Promise(resolve => bus.on('fault', ({ error }) => resolve(error)))
const describeError = ({ reason, message, data }) => ({ reason, message, data })
const results = {}
try {
  for (const memory of [128, 256]) {
    const sandbox = { kind: 'process', wall: 'required', memory }
    await bus.open('main', module, { ...options, sandbox })
    results[`process ${memory}`] = await bus.call('main', 'ask')
    const ended = nextFault()
    await bus.call('main', 'allocate', { bytes: 2 ** 32 }).catch(() => {})
    results[`process ${memory} that allocates 4 GiB`] = describeError(await ended)
  }
  await bus.open('script', script, {
    ...options,
    sandbox: { kind: 'quickjs', process: true, wall: 'required' },
  })
  results.quickjs = await bus.call('script', 'add', { a: 1, b: 2 })

  const tmp = { kind: 'process', wall: 'required', memory: 128, tmp: 1 }
  await bus.open('files', module, { ...options, sandbox: tmp })
  results['few files'] = await bus.call('files', 'makeFiles', { count: 1000 })
  await bus.closeFrontend('files')
  await bus.open('files', module, { ...options, sandbox: tmp })
  const fault = nextFault()
  const call = bus.call('files', 'makeFiles', { count: 250_000 }).catch(describeError)
  results['many files'] = describeError(await fault)
  results['call of many files'] = (await call).reason
} catch (error) {
  results.error = describeError(error)
} finally {
  await bus.close({ timeout: 0 })
}
console.log(JSON.stringify(results))
