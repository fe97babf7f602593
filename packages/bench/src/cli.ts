#!/usr/bin/env node
// The command `sallyport-bench`.
import { listAll, measureAndReport } from './command/measure.js'
import { EXIT, parseOptions, type Command } from './command/options.js'
import { Interrupted } from './command/output.js'
import { compare } from './compare/compare.js'
import { plain, UsageError } from './shared/text.js'

// The reader of a pipe can leave (`2>&1 | head`); the reports are still written.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const start = async ({ name, options }: Command): Promise<number> =>
  name === 'compare' ? compare(options) : name === 'list' ? listAll() : measureAndReport(options)

try {
  const command = parseOptions(process.argv)
  process.exitCode = command ? await start(command) : EXIT.fine
} catch (error) {
  if (error instanceof Interrupted) {
    process.stderr.write(`\n${error.message}\n`)
    process.exit(error.exitCode)
  }
  const isUsage = error instanceof UsageError
  const text = isUsage ? plain(error.message) : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`sallyport-bench: ${text}\n`)
  process.exitCode = isUsage ? error.exitCode : EXIT.failed
}
