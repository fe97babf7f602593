// Entry for hosts whose models write code.
export type { CodeError, CodeModeOptions } from './run-code.js'
export { toExecutor, type CodeExecutor, type ExecutorProvider } from './to-executor.js'
export { toIsolateDriver, type CodeIsolateDriver, type IsolateConfig, type IsolateResult } from './to-isolate-driver.js'
export {
  toTool,
  type CallableTool,
  type CodeInput,
  type CodeOutput,
  type CodeTool,
  type ToolOptions,
} from './to-tool.js'
export { toTransport, type CodeTransport, type TransportRun } from './to-transport.js'
