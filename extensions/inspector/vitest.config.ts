// Each test closes what it opens, so that files can share a process: starting one costs more than most files.
import { mergeConfig } from 'vitest/config'
import shared from '../../vitest.config.ts'

export default mergeConfig(shared, { test: { isolate: false } })
