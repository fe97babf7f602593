// Joins a package's `./dist/browser/<name>.js` entries, with all that they import, into one file each that runs in a browser. The condition
// `browser` of the `imports` in each package.json chooses the files that differ from Node's.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

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

/** @param format - `iife` for a classic script, `esm` for a module, `qjs` for the bytecode of a script in a VM of QuickJS */
export async function bundleForBrowser(folder, name, format) {
  const isForVm = format === 'qjs'
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
  return isForVm ? [{ fileName: `${name}.qjs`, code: await compile(folder, output[0].code) }] : output
}

/** Without the text of its functions, which is half of their memory. Parsing takes a VM a hundred times as long. */
async function compile(folder, code) {
  const entry = createRequire(join(folder, 'package.json')).resolve('quickjs-wasi')
  const { CompileFlags, QuickJS } = await import(pathToFileURL(entry))
  const wasm = await WebAssembly.compile(readFileSync(join(dirname(entry), '../quickjs.wasm')))
  const vm = await QuickJS.create({ wasm })
  return vm.compile(code, 'sallyport', 0, CompileFlags.STRIP_SOURCE)
}
