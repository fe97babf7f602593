#!/usr/bin/env node
// The command `sallyport`: its first argument is the name of a command.
import { runAcl } from './cli/acl-command.js'
import { exit, VERSION } from './cli/command-line.js'
import { runDoctor } from './cli/doctor-command.js'
import { checkRuntime } from './host/entry.js'
import { didYouMean } from './shared/suggest.js'

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<void>>> = {
  acl: runAcl,
  doctor: runDoctor,
}

const HELP = `sallyport <command> [options]
  doctor  print which sandboxes work on this machine, why others do not, and what helps
  acl     print who can call what in a Tauri project
sallyport <command> --help prints the options of a command`

const [node = '', program = '', name = '', ...args] = process.argv
const fail = (text: string, exitCode: number): void => exit(process.stderr, `sallyport: ${text}\n`, exitCode)
try {
  checkRuntime()
  const run = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (run) await run([node, program, ...args])
  else if (name === '--help' || name === '-h') exit(process.stdout, `${HELP}\n`, 0)
  else if (name === '--version' || name === '-v') exit(process.stdout, `${VERSION}\n`, 0)
  else if (name === '') fail(`a command is missing\n${HELP}`, 2)
  else fail(`unknown command ${name}${didYouMean(name, Object.keys(COMMANDS))}\n${HELP}`, 2)
} catch (error) {
  fail((error as Error).message, 1)
}
