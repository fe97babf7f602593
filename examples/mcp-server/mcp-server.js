// @ts-check
// Makes an MCP server of plugins. Each plugin runs in its own process, with the commands that the configuration allows, and exposes `tools`
// and a function for each tool. A call that fails, for any reason, is an MCP tool error with the reason.
import { fromJsonSchema, isSpecType } from '@modelcontextprotocol/client'
import { command, createBus } from '@sallyport/core'

/** @typedef {import('@modelcontextprotocol/client').Tool} Tool */
/** @typedef {import('@modelcontextprotocol/client').JsonSchemaType} JsonSchema */

/**
 * @typedef {object} Config
 * @property {Record<string, { module: string, allow?: import('@sallyport/core').FrontendOptions['allow'] }>} plugins by label
 * @property {number} [timeout] limit of a call of a tool in ms. 10 000 by default
 */

/**
 * Starts the plugins, and adds the tools of each to the bus as commands: `plugin:notes|search`.
 *
 * @param {Config} config
 * @param {URL} base modules of plugins are relative to it
 */
export async function startPlugins({ plugins, timeout = 10_000 }, base) {
  const bus = await createBus({ core: new URL('./core.js', import.meta.url), calls: { timeout } })

  /** Starts a plugin, and returns the permission to call its tools: none if it fails. @param {string} label */
  async function load(label) {
    const { module, allow = [] } = /** @type {Config['plugins'][string]} */ (plugins[label])
    try {
      await bus.open(label, new URL(module, base), { ...SANDBOX, allow })
      const tools = checkTools(await bus.call(label, 'tools', {}, { timeout: START_TIMEOUT_MS }))
      // The tools are read once: a plugin cannot change the descriptions that the user has approved.
      const commands = Object.fromEntries(tools.map(tool => [tool.name, toCommand(label, tool)]))
      const permissions = tools.map(({ name }) => `allow-${name.replaceAll('_', '-')}`)
      await bus.addPlugin({ name: label, commands, permissions: [{ default: { permissions } }] })
      return [`${label}:default`]
    } catch (error) {
      console.error(`[${label}] was left out: ${/** @type {Error} */ (error).message}`)
      await bus.closeFrontend(label).catch(() => {}) // it might have ended by itself
      return []
    }
  }

  /** @param {string} label @param {Tool} tool */
  function toCommand(label, { name, description, inputSchema }) {
    const options = {
      ...(description !== undefined && { description }),
      args: fromJsonSchema(/** @type {JsonSchema} */ (inputSchema)),
    }
    return command(options, (args, { signal }) => bus.call(label, name, /** @type {object} */ (args), { signal }))
  }

  const allowed = await Promise.all(Object.keys(plugins).map(load))
  return { bus, allow: allowed.flat() }
}

/** @param {unknown} tools untrusted @returns {Tool[]} */
function checkTools(tools) {
  if (Array.isArray(tools) && tools.every(isSpecType.Tool)) return tools
  throw new TypeError('its tools are not as MCP describes them')
}

/** All plugins start at once, which takes long on a busy machine. */
const START_TIMEOUT_MS = 30_000

/** @type {import('@sallyport/core').FrontendOptions} */
const SANDBOX = {
  // Not a thread, which could write to the standard output of this process.
  sandbox: { kind: 'process', ...(process.platform === 'linux' && { memory: 256 }) },
  // `permanent` restarts a plugin that exits, too. The heartbeat ends an endless loop.
  supervision: { restart: 'permanent', heartbeat: 2000 },
  loadTimeout: START_TIMEOUT_MS,
}
