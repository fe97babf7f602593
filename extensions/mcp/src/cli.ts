#!/usr/bin/env node
// The command `sallyport-mcp`. `wrap` takes the place of an MCP server in the configuration of any client, and starts that server in a wall; `doctor`
// prints what the servers of a configuration can reach.
import { checkRuntime } from '@sallyport/core/internal'
import { type CommandSet, readCommandLine, UsageError } from '@sallyport/protocol/internal/command-line'
import { toPlainText } from '@sallyport/protocol/internal/util'
import manifest from '../package.json' with { type: 'json' }
import { examineServers, render } from './wrap/doctor.js'
import { runWrap } from './wrap/wrap.js'

const COMMANDS: CommandSet = {
  name: 'sallyport-mcp',
  version: manifest.version,
  commands: {
    wrap: {
      usage: '[options] -- <command of an MCP server>',
      about: 'start an MCP server in a wall, for the client that starts this',
      program: true,
      options: {
        net: [
          'host',
          'A host that it reaches, as api.example.com or *.example.com:443; can be repeated, as those below',
        ],
        read: ['path', 'A file or directory that it can read'],
        write: ['path', 'A file or directory that it can read and change'],
        env: ['NAME', 'A variable that it gets, or NAME=value'],
        secret: ['NAME=host', 'A variable with a placeholder, whose value is sent to this host alone'],
        tool: ['pattern', 'A tool that can be called, with * (default: all)'],
        ask: ['capability', 'What it can ask its client for: roots, sampling or elicitation'],
        memory: ['MiB', 'Limit of its memory (default: 1024)'],
        timeout: ['seconds', 'Ends a server that sends nothing while a request is open (default: 600)'],
        wall: ['wall', 'required, or none: it then has all of your rights (default: required)'],
        lock: ['file', 'What was accepted of it (default: lock.json in its data directory)'],
        learn: [null, 'Prints at the end the options that would allow what was denied; it allows nothing'],
        accept: [null, 'Shows what differs from the lock, accepts it, and ends'],
      },
      notes: `Examples:
  $ sallyport-mcp wrap -- npx -y @modelcontextprotocol/server-memory
  $ sallyport-mcp wrap --read . -- npx -y @modelcontextprotocol/server-filesystem .
  $ sallyport-mcp wrap --accept -- npx -y @modelcontextprotocol/server-memory

Exit codes: that of the server · 1 it did not start · 2 error in the command line`,
    },
    doctor: {
      usage: '<configuration of a client> [options]',
      about: 'print what each MCP server of a client can reach, and what it could with wrap',
      options: { json: [null, 'Print JSON'] },
      notes: `Examples:
  $ sallyport-mcp doctor .mcp.json
  $ sallyport-mcp doctor .vscode/mcp.json --json

Exit codes: 0 success · 1 servers cannot be in a wall here · 2 error in the command line or the file`,
      words: 1,
    },
  },
}

async function run(argv: readonly string[]): Promise<number> {
  checkRuntime()
  const line = readCommandLine(COMMANDS, argv)
  if (line.print !== undefined) return print(line.print, 0)
  const { command, values, words, program } = line
  if (command === 'wrap') return runWrap(values, program)
  const [file] = words
  if (file === undefined) throw new UsageError('The configuration of a client is missing: doctor .mcp.json')
  const report = await examineServers(file, args => readCommandLine(COMMANDS, args))
  return print(values['json'] ? JSON.stringify(report, null, 2) : render(report), report.noWall === undefined ? 0 : 1)
}

/** @param text - parts of which others have written */
function print(text: string, exitCode: number): number {
  console.log(toPlainText(text))
  return exitCode
}

/** Of texts that name an option of a function, which has another name here. */
const PLACE = /^(?:startProgram|openMcp): (?:(pin|read|write|net)(?:\[\d+\])?)?/

const toOption = (_: string, name?: string): string => (name === undefined ? '' : `--${name === 'pin' ? 'lock' : name}`)

try {
  process.exitCode = await run(process.argv.slice(2))
  // The input of a client that goes on would keep this process.
  process.exit()
} catch (error) {
  const text = `sallyport-mcp: ${toPlainText((error as Error).message.replace(PLACE, toOption))}\n`
  process.stderr.write(text, () => process.exit(error instanceof UsageError ? 2 : 1))
}
