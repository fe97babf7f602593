// Entry for hosts whose models write code.

export type { CodeModeOptions } from './options.js'
export type { CodeError } from './run-code.js'
export { toExecutor, type CodeExecutor, type ExecutorProvider } from './to-executor.js'
export { toIsolateDriver, type CodeIsolateDriver, type IsolateConfig, type IsolateResult } from './to-isolate-driver.js'
export { toTool } from './to-tool.js'
export type { CallableTool, CodeInput, CodeInputSchema, CodeOutput, CodeTool, ToolOptions } from './to-tool.js'
export { toTransport, type CodeTransport, type TransportOptions, type TransportRun } from './to-transport.js'
