import { nodeResolve } from '@rollup/plugin-node-resolve'

export default {
  input: ['src/host.mjs', 'src/core.mjs', 'src/main.mjs', 'src/square.mjs'],
  output: { dir: 'dist/external/rollup', format: 'es', entryFileNames: '[name].mjs' },
  external: [/^node:/, /^@sallyport\//],
  plugins: [nodeResolve({ exportConditions: ['node'] })],
}
