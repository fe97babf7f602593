// node ../../scripts/executable.mjs, in a package after its build: its commands may be run. npm sets that at an install alone, and a later build, or one
// that turbo restores, would take it back.
import { chmodSync, readFileSync } from 'node:fs'

for (const path of Object.values(JSON.parse(readFileSync('package.json', 'utf8')).bin)) chmodSync(path, 0o755)
