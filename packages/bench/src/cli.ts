#!/usr/bin/env node
// The command `sallyport-bench`: reads what is asked for, runs it, shows it, and writes report.json and report.md.
import { Interrupted } from './interrupt.js'
import { measureAndReport } from './main.js'
import { parseOptions, UsageError } from './options.js'

// Whoever reads the other end of a pipe may leave (`| head`); the reports are written all the same.
process.stdout.on('error', () => {})

try {
  const options = parseOptions(process.argv)
  process.exitCode = options ? await measureAndReport(options) : 0
} catch (error) {
  if (error instanceof Interrupted) {
    process.stderr.write(`\n${error.message}\n`)
    process.exit(error.exitCode)
  }
  if (error instanceof UsageError) {
    process.stderr.write(`sallyport-bench: ${error.message}\n`)
    process.exitCode = 2
  } else {
    process.stderr.write(`sallyport-bench: ${error instanceof Error ? error.stack : String(error)}\n`)
    process.exitCode = 1
  }
}
