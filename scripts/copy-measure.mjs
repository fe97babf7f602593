// node ../../scripts/copy-measure.mjs, in a package: takes in what packages/measure has built, which is not published.
import { cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

rmSync('dist/measure', { recursive: true, force: true })
const filter = file => !file.endsWith('.tsbuildinfo')
cpSync(fileURLToPath(new URL('../packages/measure/dist', import.meta.url)), 'dist/measure', { recursive: true, filter })
