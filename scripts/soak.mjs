// Traffic and faults over real buses, which must release everything afterwards.
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { readOptions } from './read-options.mjs'

const usage = `Usage: npm run soak -- [options]

  --minutes N   duration (default: 5)
  --seed S      seed of traffic and faults (default: random)
  --leak A,B    leaks on purpose, to show that a leak is found: core, listener, shared, signals; with every
                process that starts: cgroups, directories, relays, sockets
  --verbose     prints the faults and the resources of each round`
const values = readOptions(usage, {
  seed: { type: 'string' },
  minutes: { type: 'string', default: '5' },
  leak: { type: 'string' },
  verbose: { type: 'boolean', default: false },
})
const seed = values.seed ?? String(randomInt(2 ** 31))
console.log(`seed ${seed}, ${values.minutes} minutes`)

const program = fileURLToPath(new URL('../packages/core/test/long/soak/run.mjs', import.meta.url))
const args = ['--seed', seed, '--seconds', String(values.minutes * 60)]
if (values.leak) args.push('--leak', values.leak)
if (values.verbose) args.push('--verbose')
const probe = fileURLToPath(new URL('../packages/core/test/long/soak/relay-probe.cjs', import.meta.url))
const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--require', probe]
// Otherwise glibc keeps arenas of ended threads, so that RSS grows with restarts without a leak.
const env = { ...process.env, MALLOC_ARENA_MAX: '1' }
const { status } = spawnSync(process.execPath, [...flags, program, ...args], { stdio: 'inherit', env })
process.exitCode = status ?? 1
