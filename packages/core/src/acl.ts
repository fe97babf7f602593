// The entry `@sallyport/core/acl`: Tauri's access control lists, and who can call what by them.
export type { Explanation } from './acl/explain.js'
export type { ExplainOptions } from './options/explain-acl.js'
export { explainCapabilities } from './host/entry.js'
