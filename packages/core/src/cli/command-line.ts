// What the commands share: how they parse their arguments, and how they end.
import type { CAC } from 'cac'
import manifest from '../../package.json' with { type: 'json' }

export const VERSION: string = manifest.version

/** A mistake in the command line. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/**
 * Returns `undefined` when help or the version was asked for, and has been printed.
 *
 * @param cli - with one command, the default one
 * @throws {UsageError}
 */
export function parse(
  cli: CAC,
  argv: readonly string[],
): { args: readonly string[]; options: Readonly<Record<string, unknown>> } | undefined {
  cli.version(VERSION)
  const [command] = cli.commands
  try {
    const { args, options } = cli.parse([...argv], { run: false })
    if (options['help'] || options['version']) return undefined
    command!.checkUnknownOptions()
    command!.checkOptionValue()
    command!.checkUnusedArgs()
    return { args, options }
  } catch (error) {
    const { message } = error as Error
    const flags = command!.options.map(({ rawName }) => rawName.split(' ')[0])
    throw new UsageError(`${message}. The options are ${flags.join(' ')} --help --version`)
  }
}

/** Exits even if a core module keeps the process alive, or the reader of a pipe has exited (`| head`). */
export function exit(stream: NodeJS.WriteStream, text: string, exitCode: number): void {
  stream.on('error', () => process.exit(exitCode))
  stream.write(text, () => process.exit(exitCode))
}
