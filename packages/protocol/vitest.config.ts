import { mergeConfig } from 'vitest/config'
import shared, { inBrowser } from '../../vitest.config.ts'

const files = /^src\/(?:codec\/(?:json|proto)|message|rpc\/pending|util|wire)/

export default mergeConfig(shared, { test: { projects: [inBrowser(files)] } })
