// node scripts/layouts.mjs [layout …]: packs the packages, installs them with each package manager into an empty folder, and
// runs the README's example and each pattern and sandbox there. The packages must be built. Needs the npm registry.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getExpected } from './packed/expected.mjs'
import { install, run } from './packed/install.mjs'
import { LAYOUTS } from './packed/layouts.mjs'
import { pack } from './packed/pack.mjs'
import { startRegistry } from './packed/registry.mjs'

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(LAYOUTS)
const unknown = names.filter(name => !(name in LAYOUTS))
if (unknown.length > 0)
  throw new Error(`unknown layout ${unknown.join(', ')}; there are ${Object.keys(LAYOUTS).join(', ')}`)

const folder = await mkdtemp(join(tmpdir(), 'sallyport-layouts-'))
const registry = await startRegistry(await pack(join(folder, 'tarballs')))

function judge(what, { stdout, stderr }, expected) {
  if (typeof expected === 'string' ? stdout === expected : expected.test(stdout))
    return console.log(`${what}: as expected`)
  process.exitCode = 1
  console.log(`${what}: expected\n${expected}but it printed\n${stdout}${stderr}`)
}

try {
  for (const name of names) {
    const { node, cases, else: instead, ...layout } = LAYOUTS[name]
    const place = join(folder, name)
    const { output } = await install(place, layout, registry.url)
    if (!cases) judge(`${name}, the README’s example`, await run([...node, 'app.mjs'], place), output)
    judge(`${name}, the cases`, await run([...node, 'app/host.mjs', ...(cases ?? [])], place), getExpected(cases))
    if (instead)
      judge(`${name}, the others`, await run([...node, 'app/host.mjs', 'brownfield'], place), RegExp(instead))
  }
} finally {
  registry.close()
  await rm(folder, { recursive: true, force: true })
}
