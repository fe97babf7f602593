// Starts buses and servers for the tests, and ends them after each.
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bus, createBus, defineCore } from '@sallyport/core'
import { LauncherUnavailable, startProgram } from '@sallyport/core/launchers'
import { afterTests } from '../../../scripts/testing.js'
import { type McpServer, openMcp, type OpenMcpOptions } from '../src/index.js'

const closers: (() => unknown)[] = []
afterTests.each.push(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

/** True if programs can be walled here. */
export const hasWall = await startProgram({ command: 'true' }).then(
  ({ exited }) => exited.then(() => true),
  (error: unknown) => {
    if (error instanceof LauncherUnavailable) return false
    throw error
  },
)

export async function startBus(options: Partial<Parameters<typeof createBus>[0]> = {}): Promise<Bus> {
  const bus = await createBus({ core: defineCore({ commands: {} }), log: false, ...options })
  closers.push(() => bus.close({ timeout: 0 }))
  return bus
}

export function makeDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-')))
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const HOSTILE = fileURLToPath(new URL('fixtures/hostile.mjs', import.meta.url))

/** Opens the server of the fixtures, which does as its arguments say. */
export async function openHostile(
  bus: Bus,
  args: readonly string[],
  options: OpenMcpOptions = {},
  name = 'hostile',
): Promise<McpServer> {
  const command = { command: 'node', args: [HOSTILE, ...args] }
  return openMcp(bus, name, command, { read: [dirname(HOSTILE)], home: makeDirectory(), ...options })
}

const root = realpathSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)))
const packages = fileURLToPath(new URL('../node_modules/@modelcontextprotocol', import.meta.url))

/** Opens a server of npm as it is. */
export async function openReal(
  bus: Bus,
  name: 'everything' | 'memory' | 'filesystem',
  args: readonly string[] = [],
  options: OpenMcpOptions = {},
): Promise<McpServer> {
  const directory = realpathSync(join(packages, `server-${name}`))
  const read = [root, ...(options.read ?? [])]
  const command = { command: 'node', args: [join(directory, 'dist/index.js'), ...args] }
  return openMcp(bus, name, command, { ...options, read, home: options.home ?? makeDirectory() })
}

/** Returns the number of processes with an argument. */
export const countProcesses = (argument: string): number =>
  readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument)
    } catch {
      return false
    }
  }).length
