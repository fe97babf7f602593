// One program with four bundlers, in two ways: with @sallyport/* left outside, which supports every pattern and sandbox, and
// with Sallyport bundled. docs/guide/deploying.md shows these settings.
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as esbuild from 'esbuild'
import { rollup } from 'rollup'
import * as vite from 'vite'
import { describe, expect, onTestFinished, test } from 'vitest'
import webpack from 'webpack'
import { choose, rows } from '../../../scripts/testing.js'
import { getExpected } from '../../../scripts/packed/expected.mjs'

type Config = any

/** Each with the settings of a file, as its own command would. */
const BUNDLERS: Record<string, (config: Config) => Promise<unknown>> = {
  esbuild: config => esbuild.build({ ...config, logLevel: 'silent' }),
  async rollup({ output, ...config }) {
    const made = await rollup({ ...config, logLevel: 'silent' })
    await made.write(output)
    await made.close()
  },
  vite: config => vite.build({ ...config, configFile: false, logLevel: 'silent' }),
  webpack: config =>
    new Promise((resolve, reject) =>
      webpack(config, (error, stats) =>
        error || stats?.hasErrors() ? reject(error ?? Error(stats!.toString('errors-only'))) : resolve(stats),
      ),
    ),
}

/** Copies a directory to a place without node_modules. */
function moved(place: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-bundled-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  cpSync(place, directory, { recursive: true })
  return directory
}

const WAYS = {
  external: { program: 'host.mjs', cases: undefined, put: (place: string) => place },
  // The rest is started by file: docs/guide/deploying.md.
  whole: { program: 'whole.mjs', cases: ['brownfield', 'none', 'isolation', 'inspector'], put: moved },
}

describe.each(Object.entries(WAYS))('%s', (way, { program, cases, put }) => {
  test.each(choose(Object.keys(BUNDLERS), 0))(
    '%s',
    async bundler => {
      const place = `dist/${way}/${bundler}`
      rmSync(place, { recursive: true, force: true })
      const { default: config } = await import(`../${way}/${bundler}.config.mjs`)
      await BUNDLERS[bundler]!(config)
      for (const name of ['script.js', 'dist-isolation']) cpSync(`src/${name}`, `${place}/${name}`, { recursive: true })
      const { stdout } = await promisify(execFile)('node', [join(put(place), program), ...(cases ?? [])])
      expect(stdout).toBe(getExpected(cases))
    },
    60_000,
  )

  test('docs/guide/deploying.md shows or links to the settings of each bundler', () =>
    rows(Object.keys(BUNDLERS))(bundler => {
      const file = `${way}/${bundler}.config.mjs`
      const page = readFileSync('../../docs/guide/deploying.md', 'utf8')
      const isShown = squeeze(page).includes(squeeze(readFileSync(file, 'utf8')))
      expect(isShown || page.includes(`tests/bundled/${file}`)).toBe(true)
    }))
})

/** Code without what its width decides. */
const squeeze = (code: string): string => code.replaceAll(/\s+|,(?=\s*[\])}])/g, '')

test('a program with Sallyport bundled and without `workers` fails with the remedy', async () => {
  const place = 'dist/mistaken'
  const { default: config } = await import('../whole/esbuild.config.mjs')
  await BUNDLERS['esbuild']!({
    ...config,
    entryPoints: ['src/host.mjs', 'src/core.mjs', 'src/square.mjs'],
    outdir: place,
  })
  const mistaken = promisify(execFile)('node', [join(moved(place), 'host.mjs'), 'pool'])
  await expect(mistaken).rejects.toMatchObject({
    stdout: expect.stringMatching(/^pool failed: .*#worker was not found.*`workers`/),
  })
})

test.each(['esm', 'cjs'] as const)('a bundle by no settings but the format %s fails with the remedy', async format => {
  const outfile = join(moved('src'), format === 'esm' ? 'plain.mjs' : 'plain.cjs')
  const contents =
    "import { createBus } from '@sallyport/core'; createBus({ core: {} }).catch(e => console.log(e.message))"
  const stdin = { contents, resolveDir: import.meta.dirname }
  await esbuild.build({ stdin, outfile, format, bundle: true, platform: 'node', logLevel: 'silent' })
  const { stdout } = await promisify(execFile)('node', [outfile])
  expect(stdout).toMatch(/^The bundle of this program lacks .* Leave @sallyport\/\* out of the bundle: see "Bundlers"/)
})
