// Entry for hosts of plugins.
export type { Ask, GrantAnswer, GrantRequest } from './ask.js'
export { PluginError, type PluginErrorCode } from './errors.js'
export type { Grant } from './grants.js'
export type { InstallOptions } from './install.js'
export type { PluginBus, PluginFrontendOptions, PluginInfo, PluginLocation, PluginsOptions } from './options.js'
export { openPlugins, type Plugins } from './plugins.js'
export type { PluginId, RequestedPermission, Rights } from './rights.js'
