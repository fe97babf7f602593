import { resolve } from 'node:path'

export default {
  target: 'node20',
  mode: 'production',
  entry: { host: './src/host.mjs', core: './src/core.mjs', main: './src/main.mjs', square: './src/square.mjs' },
  output: {
    path: resolve('dist/external/webpack'),
    filename: '[name].mjs',
    module: true,
    library: { type: 'module' },
  },
  experiments: { outputModule: true },
  externalsType: 'module',
  externals: [/^@sallyport\//],
  // Leaves `import.meta.url`, and the URLs that are made with it, as they are.
  module: { parser: { javascript: { importMeta: false, url: false } } },
}
