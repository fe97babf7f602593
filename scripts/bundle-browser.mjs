// Joins a package's `./dist/browser/<name>.js` entries, with all that they import, into one file each that runs in a browser. Where a file
// `name.browser.js` lies beside `name.js`, it takes that file's place.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const packages = join(import.meta.dirname, '../packages')

/** The sources of the other packages, as `tsc` wrote them: their own bundles are for Node. */
const SOURCES = {
  '@sallyport/protocol/internal': join(packages, 'protocol/dist/browser.js'),
  '@sallyport/frontend/internal': join(packages, 'frontend/dist/internal.js'),
}

const browserFiles = {
  name: 'browser-files',
  /** A browser has no diagnostics channels, so the code for their subscribers is left out. */
  transform: code => code.replace(/\b(?:invokes|exposedCalls|eventsSent|eventsReceived)\.hasSubscribers\b/g, 'false'),
  async resolveId(id, importer, options) {
    const resolved = SOURCES[id] ?? (await this.resolve(id, importer, { ...options, skipSelf: true }))?.id
    const variant = resolved?.replace(/\.js$/, '.browser.js')
    // By its source: the compiler leaves the output of a file that was deleted.
    const source = variant?.replace(/^(.*[\\/])dist([\\/])/, '$1src$2').replace(/js$/, 'ts')
    return source !== undefined && existsSync(source) ? variant : resolved
  },
}

/** @param format - `iife` for a classic script, `esm` for a module */
export async function bundleForBrowser(folder, name, format) {
  const build = await rolldown({
    input: { [name]: join(folder, 'dist', `${name}.js`) },
    platform: 'browser',
    plugins: [browserFiles],
    treeshake: { moduleSideEffects: id => id.endsWith('page.js') },
    onLog(_level, log) {
      // A busy machine can cause this warning about slow plugins.
      if (log.code !== 'PLUGIN_TIMINGS') throw new Error(`${name}: ${log.message}`)
    },
  })
  const { output } = await build.generate({
    dir: join(folder, 'dist/browser'),
    format,
    minify: true,
    codeSplitting: false,
    entryFileNames: '[name].js',
  })
  await build.close()
  return output
}
