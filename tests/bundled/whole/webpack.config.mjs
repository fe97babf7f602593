import { resolve } from 'node:path'

const names = ['whole', 'core', 'main', 'square', 'core-worker', 'frontend-worker', 'gate-worker']

export default {
  target: 'node20',
  mode: 'production',
  entry: Object.fromEntries(names.map(name => [name, `./src/${name}.mjs`])),
  output: { path: resolve('dist/whole/webpack'), filename: '[name].mjs', module: true, library: { type: 'module' } },
  experiments: { outputModule: true },
  // Nothing is gained, and it takes its minifier minutes.
  optimization: { minimize: false },
  externalsType: 'module',
  externals: ['piscina'],
  // Leaves `import.meta.url`, and what is made with it, as they are.
  module: { parser: { javascript: { importMeta: false, url: false, worker: false, createRequire: false } } },
}
