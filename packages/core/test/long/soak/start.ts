// Runs the soak in a process of its own, as scripts/soak.mjs does.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const [program, probe] = ['run.mjs', 'relay-probe.cjs'].map(name => fileURLToPath(new URL(name, import.meta.url)))
const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--require', probe!]
/** The environment of `scripts/soak.mjs`. */
const env = { ...process.env, MALLOC_ARENA_MAX: '1' }

/** @returns what it has printed, and its exit code unless that is 0 */
export const runSoak = (...args: string[]): Promise<{ stdout: string; code?: number }> =>
  promisify(execFile)(process.execPath, [...flags, program!, '--seed', '6', ...args], { env }).catch(
    (failure: { stdout: string; code: number }) => failure,
  )
