// Entry for hosts of plugins.
export type { Ask, GrantRequest } from './ask.js'
export { PluginError, type PluginErrorCode } from './errors.js'
export type { PluginFrontendOptions, PluginInfo, PluginsOptions } from './options.js'
export { openPlugins, type Plugins } from './plugins.js'
export type { Rights } from './rights.js'
