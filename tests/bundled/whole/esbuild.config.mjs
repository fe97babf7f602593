export default {
  entryPoints: [
    ...['src/whole.mjs', 'src/core.mjs', 'src/main.mjs', 'src/square.mjs'],
    ...['src/core-worker.mjs', 'src/frontend-worker.mjs', 'src/gate-worker.mjs'],
  ],
  outdir: 'dist/whole/esbuild',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  external: ['piscina'],
  // pino is CommonJS, which requires Node's own modules.
  banner: {
    js: "import { createRequire as createRequireOf } from 'node:module'; const require = createRequireOf(import.meta.url)",
  },
}
