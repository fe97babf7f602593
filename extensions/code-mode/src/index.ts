// Entry for hosts whose models write code.
export type { CodeModeOptions } from './run-code.js'
export { toExecutor, type CodeExecutor } from './to-executor.js'
export { toIsolateDriver, type CodeIsolateDriver } from './to-isolate-driver.js'
export { toTool, type CodeTool, type ToolOptions } from './to-tool.js'
export { toTransport, type CodeTransport } from './to-transport.js'
