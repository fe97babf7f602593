// @ts-check
// The gateway: three servers of npm, each in a wall with what it needs, behind one bus.
import { mkdirSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBus } from '@sallyport/core'
import { openMcp } from '@sallyport/mcp'

const require = createRequire(import.meta.url)
/** Where the installed packages are. */
const modules = realpathSync(fileURLToPath(new URL('../../node_modules', import.meta.url)))

/** What the agent may call. */
export const RIGHTS = [
  'files:allow-read-text-file',
  'files:allow-write-file',
  'memory:default',
  'everything:allow-echo',
]

/**
 * @param {object} options
 * @param {string} options.notes a directory of texts
 * @param {string} options.home a directory for what the servers keep, and for the pin
 * @param {(text: string) => boolean | Promise<boolean>} options.approve asks a person
 */
export async function startGateway({ notes, home, approve }) {
  const bus = await createBus({
    core: new URL('./core.js', import.meta.url),
    // A model that repeats itself must not do so without an end.
    calls: { quotas: [{ labels: ['agent'], commands: ['plugin:*'], rate: 20, concurrency: 8 }] },
    onConfirm: text => approve(text),
  })
  const pin = join(home, 'mcp.lock.json')

  /** @param {'files' | 'memory' | 'everything'} name @param {string} server @param {import('@sallyport/mcp').OpenMcpOptions} options */
  async function open(name, server, { read = [], ...options }, /** @type {string[]} */ args = []) {
    const file = join(dirname(require.resolve(`@modelcontextprotocol/${server}/package.json`)), 'dist/index.js')
    const own = join(home, name)
    mkdirSync(own, { recursive: true })
    const wall = { read: [modules, ...read], home: own, memory: 512, pids: 64 }
    const opened = await openMcp(bus, name, { command: 'node', args: [file, ...args] }, { ...wall, pin, ...options })
    opened.on('changed', ({ changes }) => console.error(`[${name}] tools to accept: ${JSON.stringify(changes)}`))
    opened.on('failed', ({ reason }) => console.error(`[${name}] failed: ${reason}`))
  }

  try {
    await Promise.all([
      // It can read the notes. Its tool to write exists, and fails in the wall even if a person allows it.
      open('files', 'server-filesystem', { read: [notes], tools: ['read_*', 'list_*', 'write_file'] }, [notes]),
      open('memory', 'server-memory', { env: { MEMORY_FILE_PATH: join(home, 'memory', 'graph.jsonl') } }),
      open('everything', 'server-everything', { tools: ['echo', 'get-env'] }),
    ])
    return bus
  } catch (error) {
    await bus.close()
    throw error
  }
}
