import { mergeConfig } from 'vitest/config'
import shared, { inBrowser } from '../../vitest.config.ts'

/** What the files for browsers do otherwise: text, keys, ids and timers. */
const files = /^src\/(?:codec\/(?:json|json-bytes)\.test|rpc\/pending-ids|util\/deadline-timers|wire)/

export default mergeConfig(shared, { test: { projects: [inBrowser(files)] } })
