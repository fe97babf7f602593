// Entry for hosts of plugins.
export type { Ask, GrantAnswer, GrantRequest } from './ask.js'
export { isPluginError, PluginError, type PluginErrorCode, type PluginErrorPlace } from './errors.js'
export type { Grant } from './grants.js'
export type { InstallOptions } from './install.js'
export { openPlugins, type PluginLocation, type PluginsOptions } from './open-plugins.js'
export type { PluginBus, PluginFrontendOptions, PluginInfo } from './plugin.js'
export type { Plugins } from './plugins.js'
export type { RequestedPermission, Rights } from './requests.js'
