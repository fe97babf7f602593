// What a frontend that floods leaves to a quiet one: `node run.mjs` prints, for each pattern and link, the latency of the quiet
// one's calls without and beside the flood, and what share of core's calls it gets where it wants more.
import { createBus } from '@sallyport/core'

const capability = { identifier: 'all', windows: ['*'], permissions: ['allow-work'] }
const module = new URL('frontend.mjs', import.meta.url)

async function measure(use, link) {
  const frontend = { module, link, sandbox: 'none' }
  const bus = await createBus({
    core: new URL('core.mjs', import.meta.url),
    frontends: { one: frontend, other: frontend },
    log: false,
    app: { security: { pattern: { use }, capabilities: [capability] } },
  })
  const flood = (label, width) => bus.call(label, 'flood', { width })
  const quiet = () => bus.call('one', 'quiet', {})
  // Compiles it.
  await Promise.all([flood('one', 64), flood('other', 64)])
  const row = { pattern: use, link }
  const write = (name, { p50, p99 }) => Object.assign(row, { [`p50 ${name}`]: p50, [`p99 ${name}`]: p99 })
  write('alone', await quiet())
  for (const width of [64, 10_000]) {
    const [beside, calls] = await Promise.all([quiet(), flood('other', width)])
    write(`beside ${width}`, beside)
    row[`calls/s of ${width}`] = calls
  }
  const [few, many] = await Promise.all([flood('one', 64), flood('other', 10_000)])
  row['share of 64 beside 10000, %'] = (few / (few + many)) * 100
  await bus.close()
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Math.round(value) || value]))
}

for (const use of ['brownfield', 'isolation']) {
  for (const link of ['ring', 'port']) console.log(await measure(use, link))
}
