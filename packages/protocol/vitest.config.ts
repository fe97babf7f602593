import { mergeConfig } from 'vitest/config'
import shared, { inBrowser } from '../../vitest.config.ts'

/** What the files for browsers do otherwise: text, keys and ids. */
const files = /^src\/(?:codec\/(?:json|json-bytes)\.test|errors\/options|rpc\/pending-ids|wire)/

export default mergeConfig(shared, { test: { projects: [inBrowser(files)] } })
