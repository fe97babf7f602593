/** The argument of a command that is a channel for its progress, in both directions. MCP clients do not see it. */
export const PROGRESS_ARGUMENT = 'onProgress'
