#!/usr/bin/env node
// The command `sallyport-acl`: says who may call what in a Tauri project, for people who review its capabilities, and for CI.
import { explain } from './acl-cli/explain.js'
import { UsageError, parseOptions } from './acl-cli/options.js'

/** A core module may keep the process alive, and whoever reads the other end of a pipe may leave (`| head`). */
function end(stream: NodeJS.WriteStream, text: string, exitCode: number): void {
  stream.on('error', () => process.exit(exitCode))
  stream.write(text, () => process.exit(exitCode))
}

try {
  const options = parseOptions(process.argv)
  if (options) end(process.stdout, await explain(options), 0)
} catch (error) {
  const { message } = error as Error
  end(
    process.stderr,
    `sallyport-acl: ${message.replace(/^createBus: (config: )?/, '')}\n`,
    error instanceof UsageError ? 2 : 1,
  )
}
