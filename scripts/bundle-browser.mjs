// Joins a package's `./dist/browser/<name>.js` entries, with all that they import, into one file each that runs in a browser. The condition
// `browser` of the `imports` in each package.json chooses the files that differ from Node's.
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const packages = join(import.meta.dirname, '../packages')

/** The sources of the other packages, as `tsc` wrote them: their own bundles are for Node. */
const SOURCES = {
  '@sallyport/protocol/internal': join(packages, 'protocol/dist'),
  '@sallyport/frontend/internal': join(packages, 'frontend/dist/internal.js'),
}

/** @param format - `iife` for a classic script, `esm` for a module */
export async function bundleForBrowser(folder, name, format) {
  const build = await rolldown({
    input: { [name]: join(folder, 'dist', `${name}.js`) },
    platform: 'browser',
    resolve: { alias: SOURCES },
    external: /^node:/,
    // Similar files next to each other are compressed better.
    experimental: { chunkModulesOrder: 'module-id' },
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
    comments: false,
    codeSplitting: false,
    entryFileNames: '[name].js',
  })
  await build.close()
  const imported = output.flatMap(({ imports = [] }) => imports)
  if (imported.length > 0) throw new Error(`${name}: a browser cannot load ${imported.join(', ')}`)
  return output
}
