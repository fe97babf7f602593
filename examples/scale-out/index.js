// @ts-check
// The program: a NATS server, three cores of one bus and two frontends, each in its own process on this machine.
import { createBusSecret, issueCredential } from '@sallyport/nats'
import { Process } from './processes.js'
import { crash, events, state, stats, throughput } from './scenes.js'

/** The newest first, which is the order in which they end. @type {Process[]} */
const processes = []

/** @param {string} module @param {string} name @param {object} [options] */
async function start(module, name, options) {
  const started = new Process(module, name)
  processes.unshift(started)
  return { process: started, result: await started.ask('start', options) }
}

try {
  const { result: url } = await start('./server.js', 'nats-server')
  // After half a second of silence, a core or a frontend is asked for a heartbeat.
  const bus = { nats: { servers: url }, bus: 'scale-out', heartbeat: 500 }
  const secret = createBusSecret()
  console.log(`A NATS server at ${url}; three cores and two frontends, each a process`)

  const startCore = async (/** @type {string} */ instance) =>
    (await start('./host.js', instance, { ...bus, secret, instance })).process

  const startFrontend = async (/** @type {string} */ label, /** @type {boolean} */ sticky) => {
    // The secret stays with the cores.
    const credentials = [issueCredential(secret, { label })]
    return (await start('./frontend.js', label, { ...bus, credentials, label, sticky })).process
  }

  const cores = [await startCore('core-1')]
  const spread = await startFrontend('spread', false)
  await throughput(spread, cores, startCore)

  const sticky = await startFrontend('sticky', true)
  const home = await state(spread, sticky)
  await events(spread, sticky)
  await stats(/** @type {Process} */ (cores[0]))
  await crash(
    spread,
    sticky,
    /** @type {Process} */ (cores.find(({ name }) => name === home)),
  )
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exitCode = 1
} finally {
  for (const each of processes) await each.end()
}
