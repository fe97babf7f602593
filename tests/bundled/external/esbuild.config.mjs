export default {
  // What a `new URL('./x.mjs', import.meta.url)` names is an entry of its own.
  entryPoints: ['src/host.mjs', 'src/core.mjs', 'src/main.mjs', 'src/square.mjs'],
  outdir: 'dist/external/esbuild',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  external: ['@sallyport/*'],
}
