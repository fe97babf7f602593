// How a command ends.
import { UsageError, wrap } from '@sallyport/protocol/internal/command-line'
import { Interrupted } from './output.js'
import { plain } from './text.js'

/** Runs a command and sets its exit code: that which it returns, or 2 after any error. 1 is a verdict. */
export async function runCommand(name: string, run: () => Promise<number>): Promise<void> {
  // The reader of a pipe can close it (`2>&1 | head`); the reports are still written.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  // Node.js would exit with 13, without a word.
  const endStuck = (): void => {
    process.stderr.write(`${name}: nothing can end what it waits for, such as a promise of your own module\n`)
    process.exit(2)
  }
  process.once('beforeExit', endStuck)
  try {
    process.exitCode = await run()
  } catch (error) {
    if (error instanceof Interrupted) {
      process.stderr.write(`\n${error.message}\n`)
      process.exit(error.exitCode)
    }
    // A full disk is no fault of the code.
    const isKnown = error instanceof UsageError || (error instanceof Error && 'syscall' in error)
    // Git and npm can have written parts of it.
    const text = plain(isKnown ? error.message : String(error instanceof Error ? error.stack : error))
    const columns = process.stderr.columns || Infinity
    const lines = `${name}: ${text}`.split('\n')
    process.stderr.write(`${(isKnown ? lines.flatMap(line => wrap(line, columns)) : lines).join('\n')}\n`)
    process.exitCode = 2
  } finally {
    process.off('beforeExit', endStuck)
  }
}
