// Arms that start a published MCP server over stdio and call one of its tools: by the official client, and by `openMcp` without and with a
// wall. They are measured only if the packages are installed.
import { createBus, defineCore } from '@sallyport/core'
import { realpathSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { percentiles } from '../loops/subject.js'
import type { Arm, Arms, Measurement } from '../model/scenario.js'
import { findPackage } from '../run/machine.js'
import { lacksWall } from './wall.js'

const SERVER = '@modelcontextprotocol/server-everything'
const NEEDED = [SERVER, '@modelcontextprotocol/client', '@sallyport/mcp']
const MESSAGE = 'a message of usual length'
/** The first calls compile code. */
const WARM_UP_CALLS = 50

interface Client {
  /** Calls the tool `echo`. */
  echo(): Promise<unknown>
  close(): Promise<void>
}

const findServer = (): string => realpathSync(findPackage(SERVER)!)

const getCommand = (): { command: string; args: string[] } => ({
  command: process.execPath,
  args: [join(findServer(), 'dist/index.js'), 'stdio'],
})

/** Returns the outermost `node_modules`: a package manager can store the dependencies of a package anywhere in it. */
const getPackages = (path: string): string =>
  path.slice(0, path.indexOf(`${sep}node_modules${sep}`)) + `${sep}node_modules`

/** Measures a start until the tools are known, and calls one at a time. */
async function measureClient(start: () => Promise<Client>, ms: number): Promise<Measurement> {
  const before = performance.now()
  const client = await start()
  try {
    const ready = (performance.now() - before) * 1000
    const echo = async (): Promise<number> => {
      const begin = performance.now()
      const result = await client.echo()
      const time = performance.now() - begin
      if (!JSON.stringify(result).includes(MESSAGE)) throw new Error(`echo answered ${JSON.stringify(result)}`)
      return time
    }
    for (let made = 0; made < WARM_UP_CALLS; made++) await echo()
    const latencies: number[] = []
    const end = performance.now() + ms
    do latencies.push(await echo())
    while (performance.now() < end)
    return { ready, p50: percentiles(Float64Array.from(latencies)).p50 }
  } finally {
    await client.close()
  }
}

async function startClient(): Promise<Client> {
  const { Client } = await import('@modelcontextprotocol/client')
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
  const client = new Client({ name: 'bench', version: '1.0.0' })
  await client.connect(new StdioClientTransport({ ...getCommand(), stderr: 'ignore' }))
  await client.listTools()
  return {
    echo: () => client.callTool({ name: 'echo', arguments: { message: MESSAGE } }),
    close: () => client.close(),
  }
}

const openServer = (wall: 'none' | 'required') => async (): Promise<Client> => {
  const { openMcp } = await import('@sallyport/mcp')
  const home = await mkdtemp(join(tmpdir(), 'sallyport-bench-mcp-'))
  const bus = await createBus({ core: defineCore({}), log: false })
  const close = async (): Promise<void> => {
    await bus.close({ timeout: 0 })
    await rm(home, { recursive: true, force: true })
  }
  try {
    // The host's client calls the tool without the detour over another thread.
    await openMcp(bus, 'everything', getCommand(), { wall, home, read: [getPackages(findServer())] })
    const client = await bus.connect('caller', { allow: ['everything:default'] })
    return { echo: () => client.invoke('plugin:everything|echo', { message: MESSAGE }), close }
  } catch (error) {
    await close()
    throw error
  }
}

const mcpArm = (id: string, title: string, start: () => Promise<Client>): Arm => ({
  id,
  title,
  lacks: () => {
    const missing = NEEDED.filter(name => findPackage(name) === undefined)
    return missing.length > 0 ? `${missing.join(' and ')} must be installed` : undefined
  },
  open: async () => ({ measure: ({ ms }) => measureClient(start, ms), close: async () => {} }),
})

const walled = mcpArm('mcp-wall', 'openMcp, wall', openServer('required'))

/** The reference is a server without a wall. */
export const mcpArms: Arms = [
  mcpArm('mcp', 'openMcp, no wall', openServer('none')),
  { ...walled, lacks: () => walled.lacks!() ?? lacksWall() },
  mcpArm('client', 'official client', startClient),
]
