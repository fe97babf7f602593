// Joins a package's `./dist/browser/<name>.js` entries, with all that they import, into one file each that runs in a browser. The condition
// `browser` of the `imports` in each package.json chooses the files that differ from Node's.
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { createImage } from './bundle-image.mjs'

const packages = join(import.meta.dirname, '../packages')

/** The sources of the other packages, as `tsc` wrote them: their own bundles are for Node. */
const SOURCES = {
  '@sallyport/protocol/internal': join(packages, 'protocol/dist'),
  '@sallyport/frontend/internal': join(packages, 'frontend/dist/internal.js'),
}

/** A VM of QuickJS has the condition `script`, and of Node only tests of types. */
const FOR_VM = {
  alias: { ...SOURCES, 'node:util/types': join(packages, 'quickjs/dist/inside/types.js') },
  conditionNames: ['script', 'browser', 'import', 'default'],
}

/** Those of `quickjs/src/inside/host.ts`. */
const HOST_FUNCTIONS = ['send', 'sendFrame']

/** @param format - `iife` for a classic script, `esm` for a module, `img` for the image of a VM of QuickJS that has evaluated the script */
export async function bundleForBrowser(folder, name, format) {
  const isForVm = format === 'img'
  const build = await rolldown({
    input: { [name]: join(folder, 'dist', `${name}.js`) },
    platform: 'browser',
    resolve: isForVm ? FOR_VM : { alias: SOURCES },
    external: id => id.startsWith('node:') && !(isForVm && id in FOR_VM.alias),
    // Similar files next to each other are compressed better.
    // In a VM, the first file defines globals that the others need.
    experimental: { chunkModulesOrder: isForVm ? 'exec-order' : 'module-id' },
    treeshake: { moduleSideEffects: id => id.endsWith('page.js') || id.endsWith('inside/host.js') },
    onLog(_level, log) {
      // A busy machine can cause this warning about slow plugins.
      if (log.code !== 'PLUGIN_TIMINGS') throw new Error(`${name}: ${log.message}`)
    },
  })
  const { output } = await build.generate({
    dir: join(folder, 'dist/browser'),
    format: isForVm ? 'iife' : format,
    minify: true,
    comments: false,
    codeSplitting: false,
    entryFileNames: '[name].js',
  })
  await build.close()
  const imported = output.flatMap(({ imports = [] }) => imports)
  if (imported.length > 0) throw new Error(`${name}: a browser cannot load ${imported.join(', ')}`)
  if (!isForVm) return output
  return [{ fileName: `${name}.img`, code: await createImage(folder, output[0].code, HOST_FUNCTIONS) }]
}
