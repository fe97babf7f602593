// Entry of `@sallyport/mcp`.

export { serveMcp, type McpService, type ServeMcpOptions } from './serve/serve-mcp.js'
export type { AnsweredRun } from './serve/rounds.js'
export { openMcp } from './open/open-mcp.js'
export type { McpServer } from './open/opened-server.js'
export type { OpenMcpOptions } from './open/options.js'
