#!/usr/bin/env node
// The command `sallyport-bench`: reads what is asked for, and does it.
import { compare } from './compare/main.js'
import { EXIT } from './command/exit-code.js'
import { Interrupted } from './command/interrupt.js'
import { listAll } from './command/list.js'
import { measureAndReport } from './command/measure.js'
import { parseOptions, type Command } from './command/options.js'
import { UsageError } from './command/usage.js'
import { plain } from './report/format.js'

// Whoever reads the other end of a pipe may leave (`2>&1 | head`); the reports are written all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const start = (command: Command): Promise<number> => {
  if (command.name === 'compare') return compare(command.options)
  return command.name === 'list' ? listAll(command.options) : measureAndReport(command.options)
}

try {
  const command = parseOptions(process.argv)
  process.exitCode = command ? await start(command) : 0
} catch (error) {
  if (error instanceof Interrupted) {
    process.stderr.write(`\n${error.message}\n`)
    process.exit(error.exitCode)
  }
  if (error instanceof UsageError) {
    process.stderr.write(`sallyport-bench: ${plain(error.message)}\n`)
    process.exitCode = EXIT.usage
  } else {
    process.stderr.write(`sallyport-bench: ${error instanceof Error ? error.stack : String(error)}\n`)
    process.exitCode = EXIT.failed
  }
}
