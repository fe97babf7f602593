// As everywhere; and what fixtures import, where a test runs them in its own thread, is what the test itself imports.
import { fileURLToPath } from 'node:url'
import { mergeConfig, type ViteUserConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

const source: ViteUserConfig = {
  resolve: {
    alias: [{ find: /^@sallyport\/core$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) }],
  },
}

export default mergeConfig(base, source)
