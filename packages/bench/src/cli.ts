#!/usr/bin/env node
// The command `sallyport-bench`.
import { checkRuntime } from '@sallyport/core/internal'

try {
  checkRuntime()
} catch (error) {
  process.stderr.write(`sallyport-bench: ${(error as Error).message}\n`)
  process.exit(2)
}

// Node.js would exit with 1, which is a regression to `sallyport-compare`.
process.on('uncaughtException', error => {
  console.error(error)
  process.exit(2)
})

// An older Node.js cannot load these.
const [{ runCommand }, { listAll, measureAndReport }, { parseOptions }] = await Promise.all([
  import('#measure/cli'),
  import('./command/measure.js'),
  import('./command/options.js'),
])

await runCommand('sallyport-bench', async () => {
  const command = parseOptions(process.argv.slice(2))
  if (command?.name === 'run') return measureAndReport(command.options)
  if (command) listAll()
  return 0
})
