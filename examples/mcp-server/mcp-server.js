// @ts-check
// Makes an MCP server of plugins. Each plugin runs in its own process, with the commands that the configuration allows, and exposes `tools`
// and a function for each tool. A call that fails, for any reason, is an MCP tool error with the reason.
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { CallToolRequestSchema, ListToolsRequestSchema, ToolSchema } from '@modelcontextprotocol/sdk/types.js'
import { createBus } from '@sallyport/core'

/** @typedef {import('@modelcontextprotocol/sdk/types.js').Tool} Tool */

/**
 * @typedef {object} Config
 * @property {Record<string, { module: string, allow?: import('@sallyport/core').FrontendOptions['allow'] }>} plugins by label
 * @property {number} [timeout] limit of a call of a tool in ms. 10 000 by default
 */

/**
 * @param {Config} config
 * @param {URL} base modules of plugins are relative to it
 */
export async function createMcpServer({ plugins, timeout = 10_000 }, base) {
  const bus = await createBus({ core: new URL('./core.js', import.meta.url), calls: { timeout } })

  /** Starts a plugin, and returns its tools: none if it fails. @param {string} label @returns {Promise<Tool[]>} */
  async function load(label) {
    const { module, allow = [] } = /** @type {Config['plugins'][string]} */ (plugins[label])
    try {
      await bus.open(label, new URL(module, base), { ...SANDBOX, allow })
      return ToolSchema.array().parse(await bus.call(label, 'tools')) // untrusted
    } catch (error) {
      console.error(`[${label}] was left out: ${/** @type {Error} */ (error).message}`)
      await bus.closeFrontend(label).catch(() => {}) // it might have ended by itself
      return []
    }
  }

  // The tools are listed once: a plugin cannot change the descriptions that the user has approved.
  const loads = Object.keys(plugins).map(async label => (await load(label)).map(tool => ({ label, tool })))
  const tools = (await Promise.all(loads)).flat()
  const nameOf = (/** @type {{ label: string, tool: Tool }} */ { label, tool }) => `${label}_${tool.name}`

  const server = new Server({ name: 'sallyport-plugins', version: '1.0.0' }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(entry => ({ ...entry.tool, name: nameOf(entry) })),
  }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    const entry = tools.find(candidate => nameOf(candidate) === params.name)
    if (!entry) return toResult(`There is no tool ${params.name}`, true)
    try {
      return toResult(await bus.call(entry.label, entry.tool.name, params.arguments, { signal }))
    } catch (/** @type {any} */ error) {
      return toResult(`${error.reason}: ${error.message}`, true)
    }
  })
  return {
    server,
    async close() {
      await server.close()
      await bus.close()
    },
  }
}

/** @type {import('@sallyport/core').FrontendOptions} */
const SANDBOX = {
  // Not a thread, which could write to the standard output of this process.
  sandbox: { kind: 'process', ...(process.platform === 'linux' && { memory: 256 }) },
  // `permanent` restarts a plugin that exits, too. The heartbeat ends an endless loop.
  supervision: { restart: 'permanent', heartbeat: 2000 },
  loadTimeout: 5000,
}

/**
 * @param {unknown} value
 * @param {boolean} [isError]
 * @returns {import('@modelcontextprotocol/sdk/types.js').CallToolResult}
 */
const toResult = (value, isError = false) => ({
  content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }],
  isError,
})
