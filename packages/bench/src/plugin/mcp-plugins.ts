// Published MCP servers, each in a process of its own with or without a wall, which the host calls over stdio. They are measured only if the packages are installed.
import { createBus, defineCore } from '@sallyport/core'
import { realpathSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { findPackage } from '../run/machine.js'
import type { PluginHost } from './plugin-host.js'

const SERVER = '@modelcontextprotocol/server-everything'

/** Returns why it cannot be measured. */
export function lacksMcp(): string | undefined {
  const missing = [SERVER, '@sallyport/mcp'].filter(name => findPackage(name) === undefined)
  return missing.length > 0 ? `${missing.join(' and ')} must be installed` : undefined
}

/** Returns the outermost `node_modules`: a package manager can store the dependencies of a package anywhere in it. */
const getPackages = (path: string): string =>
  path.slice(0, path.indexOf(`${sep}node_modules${sep}`)) + `${sep}node_modules`

export async function loadMcp(wall: 'none' | 'required'): Promise<PluginHost> {
  const { openMcp } = await import('@sallyport/mcp')
  const directory = realpathSync(findPackage(SERVER)!)
  const program = { command: process.execPath, args: [join(directory, 'dist/index.js'), 'stdio'] }
  const homes = await mkdtemp(join(tmpdir(), 'sallyport-bench-mcp-'))
  const bus = await createBus({ core: defineCore({}), log: false })
  return {
    isServer: true,
    start: async name => {
      const label = `mcp-${name}`
      const home = await mkdtemp(join(homes, 'home-'))
      await openMcp(bus, label, program, { wall, home, read: [getPackages(directory)] })
      // The host's client calls the tool without the detour over another thread.
      const client = await bus.connect(`caller-of-${label}`, { allow: [`${label}:default`] })
      const request = async (_function: string, { name: message = '' }: { name?: string }): Promise<unknown> => {
        const result = await client.invoke(`plugin:${label}|echo`, { message })
        if (!JSON.stringify(result).includes(message)) throw new Error(`echo answered ${JSON.stringify(result)}`)
        return result
      }
      return { request, end: () => bus.closeFrontend(label) }
    },
    close: async () => {
      await bus.close({ timeout: 0 })
      await rm(homes, { recursive: true, force: true })
    },
  }
}
