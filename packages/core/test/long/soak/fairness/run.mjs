// Fairness between a flooding and a quiet frontend. `node run.mjs` prints the latency of the quiet frontend's
// calls without and during the flood. It also prints its share of core's calls when it floods as well.
import { createBus } from '@sallyport/core'

const capability = { identifier: 'all', windows: ['*'], permissions: ['allow-work'] }
const module = new URL('frontend.mjs', import.meta.url)

async function measure(use) {
  const frontend = { module, sandbox: 'none' }
  const bus = await createBus({
    core: new URL('core.mjs', import.meta.url),
    frontends: { quiet: frontend, other: frontend },
    log: false,
    ...(use === 'isolation' && { isolation: {} }),
    capabilities: [capability],
  })
  const flood = (label, width) => bus.call(label, 'flood', { width })
  const quiet = () => bus.call('quiet', 'quiet', {})
  // Warms up the compiler.
  await Promise.all([flood('quiet', 64), flood('other', 64)])
  const row = { pattern: use }
  const write = (name, { p50, p99 }) => Object.assign(row, { [`p50 ${name}`]: p50, [`p99 ${name}`]: p99 })
  write('alone', await quiet())
  for (const width of [64, 10_000]) {
    const [quietTimes, calls] = await Promise.all([quiet(), flood('other', width)])
    write(`with ${width}`, quietTimes)
    row[`calls/s of ${width}`] = calls
  }
  const [few, many] = await Promise.all([flood('quiet', 64), flood('other', 10_000)])
  row['share of 64 against 10000, %'] = (few / (few + many)) * 100
  await bus.close()
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Math.round(value) || value]))
}

for (const use of ['brownfield', 'isolation']) console.log(await measure(use))
