export default {
  build: {
    ssr: true,
    outDir: 'dist/external/vite',
    rollupOptions: {
      input: ['src/host.mjs', 'src/core.mjs', 'src/main.mjs', 'src/square.mjs'],
      output: { entryFileNames: '[name].mjs' },
    },
  },
  ssr: { external: ['@sallyport/core', '@sallyport/frontend'] },
}
