// Two files of test/matrix build the site, in one directory.
import { mergeConfig } from 'vitest/config'
import shared from '../vitest.config.ts'

export default mergeConfig(shared, { test: { fileParallelism: false } })
