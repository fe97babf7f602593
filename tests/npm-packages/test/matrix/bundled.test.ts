// Packages of npm in a script, which is bundled as the guide says. Those that fail are listed with the reason.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createBus, type Bus } from '@sallyport/core'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundled } from '../../bundled.mjs'
import { rows } from '../../../../scripts/testing.js'

const node = /Could not resolve "(node:)?\w+"/
const intl = /Intl is not defined/
/** What is said about packages that ask for what a script has not: a module of Node.js when they are bundled, or a global. */
const failing: Readonly<Record<string, RegExp>> = {
  '@babel/core': node,
  '@iarna/toml': node,
  ai: /TransformStream is not defined/,
  commander: node,
  'cron-parser': intl,
  'isomorphic-git': node,
  jsonwebtoken: node,
  linkedom: intl,
  pug: node,
  yargs: node,
}
/** Packages whose version for pages asks for a document. */
const withDocument = new Set(['remark-parse', 'turndown'])
const directory = fileURLToPath(new URL('../../', import.meta.url))

let bus: Bus
/** The values in plain Node, and the text of each use, by package. */
let plain: Readonly<Record<'values' | 'texts', Readonly<Record<string, unknown>>>>
beforeAll(async () => {
  const output = execFileSync(process.execPath, ['plain.mjs'], {
    ...{ cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  })
  plain = JSON.parse(output.slice(output.lastIndexOf('\n')))
  bus = await createBus({ core: { commands: {} }, log: false, supervision: { heartbeat: false } })
})
afterAll(() => bus.close({ timeout: 0 }))

/** Bundles as `esbuild <file> --bundle --format=esm --external:@sallyport/frontend`, with `--platform=neutral --main-fields=module,main`. */
async function bundle(use: unknown, isNeutral: boolean): Promise<string> {
  const contents = `
    import { expose } from '@sallyport/frontend'
    const use = ${String(use)}
    expose({ use: async () => JSON.stringify(await use()) })
  `
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: directory },
    bundle: true,
    format: 'esm',
    external: ['@sallyport/frontend'],
    ...(isNeutral && { platform: 'neutral', mainFields: ['module', 'main'] }),
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}

async function runInScript(name: string): Promise<unknown> {
  const source = await bundle(plain.texts[name], withDocument.has(name))
  const label = `script-${name.replaceAll(/\W/g, '')}`
  await bus.open(label, { source, name: 'main.js' }, { sandbox: { kind: 'quickjs', memory: 128, time: 5000 } })
  try {
    return JSON.parse(await bus.call<string>(label, 'use', {}, { timeout: 60_000 }))
  } finally {
    await bus.closeFrontend(label)
  }
}

const working = Object.keys(bundled).filter(name => !(name in failing))

test('packages work in QuickJS as in plain Node', { timeout: 600_000 }, () =>
  rows(working)(async name => {
    expect(await runInScript(name)).toEqual(plain.values[name])
  }),
)

test('packages that do not work in QuickJS say why', { timeout: 600_000 }, () =>
  rows(Object.entries(failing))(async (name, message) => {
    await expect(runInScript(name)).rejects.toThrow(message)
  }),
)
