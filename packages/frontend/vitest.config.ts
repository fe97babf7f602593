import { mergeConfig } from 'vitest/config'
import shared, { inBrowser } from '../../vitest.config.ts'

export default mergeConfig(shared, {
  test: { projects: [inBrowser(/^src\/client\/(?!connection-pool|diagnostics|node-features)/)] },
})
