import commonjs from '@rollup/plugin-commonjs'
import json from '@rollup/plugin-json'
import { nodeResolve } from '@rollup/plugin-node-resolve'

export default {
  input: [
    ...['src/whole.mjs', 'src/core.mjs', 'src/main.mjs', 'src/square.mjs'],
    ...['src/core-worker.mjs', 'src/frontend-worker.mjs', 'src/gate-worker.mjs'],
  ],
  output: { dir: 'dist/whole/rollup', format: 'es', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
  external: [/^node:/, 'piscina'],
  // The last two for pino.
  plugins: [nodeResolve({ exportConditions: ['node'] }), commonjs(), json()],
}
