// Entry of `@sallyport/mcp`.

export { serveMcp, type McpService, type ServeMcpOptions } from './serve/serve-mcp.js'
export { addFunctions } from './serve/add-functions.js'
export { openMcp, type McpServer } from './open/open-mcp.js'
export type { OpenMcpOptions } from './open/options.js'
