// Entry of `@sallyport/mcp`.

export { serveMcp, type McpService, type ServeMcpOptions } from './serve/serve-mcp.js'
export { addFunctions, type AddFunctionsOptions, type FunctionDescription } from './serve/add-functions.js'
export type { HttpTransport } from './serve/serve-http.js'
export { openMcp, type McpServer } from './open/open-mcp.js'
export type { McpCommand, OpenMcpOptions } from './open/options.js'
export type { McpServerEvents, ToolChange } from './open/options.js'
