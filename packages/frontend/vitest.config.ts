import { mergeConfig } from 'vitest/config'
import shared, { inBrowser } from '../../vitest.config.ts'

/** What a client in a page does otherwise: arguments, options and remedies. */
const files = /^src\/client\/(?:client-arguments|current-client|options)\.test/

export default mergeConfig(shared, { test: { projects: [inBrowser(files)] } })
