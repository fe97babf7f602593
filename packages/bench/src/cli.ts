#!/usr/bin/env node
// The command `sallyport-bench`.
import { checkRuntime } from '@sallyport/core/internal'

try {
  checkRuntime()
} catch (error) {
  process.stderr.write(`sallyport-bench: ${(error as Error).message}\n`)
  process.exit(1)
}

// An older Node.js cannot load these.
const [{ listAll, measureAndReport }, { parseOptions }, { Interrupted }, { wrap }, { compare }, { plain, UsageError }] =
  await Promise.all([
    import('./command/measure.js'),
    import('./command/options.js'),
    import('./command/output.js'),
    import('./report/terminal.js'),
    import('./compare/compare.js'),
    import('./shared/text.js'),
  ])

// The reader of a pipe can close it (`2>&1 | head`); the reports are still written.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

try {
  const command = parseOptions(process.argv)
  if (command?.name === 'run') process.exitCode = await measureAndReport(command.options)
  if (command?.name === 'compare') process.exitCode = await compare(command.options)
  if (command?.name === 'list') listAll()
} catch (error) {
  if (error instanceof Interrupted) {
    process.stderr.write(`\n${error.message}\n`)
    process.exit(error.exitCode)
  }
  const isUsage = error instanceof UsageError
  const text = isUsage ? plain(error.message) : error instanceof Error ? error.stack : String(error)
  const columns = process.stderr.columns || Infinity
  const lines = `sallyport-bench: ${text}`.split('\n')
  process.stderr.write(`${(isUsage ? lines.flatMap(line => wrap(line, columns)) : lines).join('\n')}\n`)
  process.exitCode = isUsage ? 2 : 1
}
