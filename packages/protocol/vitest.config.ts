import { mergeConfig } from 'vitest/config'
import shared, { inBrowser } from '../../vitest.config.ts'

/** Those whose subject has a file for browsers, or differs in a page; the client, in @sallyport/frontend, runs above them all. */
const files = /^src\/(?:codec\/(?:json-suite|json-values|proto-keys)|rpc\/pending|util\/deadline|wire)/

export default mergeConfig(shared, { test: { projects: [inBrowser(files)] } })
