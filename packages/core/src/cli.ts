#!/usr/bin/env node
// The command `sallyport`: its first argument is the name of a command.
import { runAcl } from './cli/acl-command.js'
import { exit } from './cli/command-line.js'
import { runDoctor } from './cli/doctor/doctor-command.js'

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<void>>> = {
  acl: runAcl,
  doctor: runDoctor,
}

const HELP = `sallyport <command> [options]
  doctor  print which sandboxes work on this machine, why others do not, and what helps
  acl     print who can call what in a Tauri project
sallyport <command> --help prints the options of a command
`

const [node = '', program = '', name = '', ...args] = process.argv
const run = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
if (run) await run([node, program, ...args])
else if (name === '--help' || name === '-h') exit(process.stdout, HELP, 0)
else exit(process.stderr, `sallyport: ${name === '' ? 'a command is missing' : `unknown command ${name}`}\n${HELP}`, 2)
