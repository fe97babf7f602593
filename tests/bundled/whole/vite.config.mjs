export default {
  build: {
    ssr: true,
    outDir: 'dist/whole/vite',
    rollupOptions: {
      input: [
        ...['src/whole.mjs', 'src/core.mjs', 'src/main.mjs', 'src/square.mjs'],
        ...['src/core-worker.mjs', 'src/frontend-worker.mjs', 'src/gate-worker.mjs'],
      ],
      // All in one folder: what stands in `assets/` would look for its neighbours there.
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
    },
  },
  ssr: { noExternal: true, external: ['piscina'] },
}
