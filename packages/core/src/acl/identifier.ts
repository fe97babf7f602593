// Names: identifiers of permissions (`allow-greet` of the app, `fs:allow-read` of a plugin, `core:event:allow-emit` of a core plugin), methods
// of commands, and globs of labels.
import { APP_KEY, type CommandIdentity, type PermissionFileSource } from './types.js'
import { Glob } from '@sallyport/paths/internal/glob'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'

export interface PermissionName {
  /** `fs`, `core:event`, `core`, or `APP_KEY`. */
  readonly key: string
  /** `allow-read`, `default`. */
  readonly name: string
}

/** Returns the generated permissions of a command, where `_` becomes `-`, as in Tauri. */
export function getPermissions(name: string, plugin?: string): { allow: string; deny: string } {
  const prefix = plugin === undefined ? '' : `${plugin}:`
  const suffix = name.replaceAll('_', '-')
  return { allow: `${prefix}allow-${suffix}`, deny: `${prefix}deny-${suffix}` }
}

/** Splits at the first colon, or at the second one after `core:`. */
export function splitIdentifier(identifier: string): PermissionName {
  const core = identifier.startsWith('core:') ? identifier.indexOf(':', 5) : -1
  const end = core < 0 ? identifier.indexOf(':') : core
  return end < 0
    ? { key: APP_KEY, name: identifier }
    : { key: identifier.slice(0, end), name: identifier.slice(end + 1) }
}

export const joinIdentifier = ({ key, name }: PermissionName): string => (key === APP_KEY ? name : `${key}:${name}`)

export const describeAclKey = (key: string): string => (key === APP_KEY ? 'app manifest' : key)

/** Returns the method of a command: `greet`, `plugin:fs|read_file`. */
export function getMethod(key: string, command: string): string {
  if (key === APP_KEY) return command
  return `plugin:${key.startsWith('core:') ? key.slice(5) : key}|${command}`
}

/** Splits a method: `plugin:fs|read_file` is the command `read_file` of the plugin `fs`, `greet` one of the app. */
export function splitMethod(method: string): { plugin: string | undefined; name: string } {
  const [, plugin, name = method] = /^plugin:([^|]*)\|(.*)$/s.exec(method) ?? []
  return { plugin, name }
}

export function explainMalformed(identifier: string): string | undefined {
  if (identifier.startsWith('tauri-plugin-')) return 'identifiers cannot start with tauri-plugin-'
  if (identifier.length > 116) return `identifiers cannot be longer than 116, found ${identifier.length}`
  const parts = identifier.split(':')
  if (parts.at(-1) === '' && parts.length > 1) return 'identifiers cannot have a prefix without a base'
  if (identifier.endsWith('-')) return 'identifiers cannot have a trailing hyphen'
  if (parts.length > 2 && parts[0] !== 'core') return "identifiers can only include a single separator ':'"
  if (parts.every(part => /^[a-z0-9]+(-[a-z0-9]+)*$/i.test(part))) return undefined
  return 'identifiers can only include lowercase ASCII, hyphens which are not leading or trailing, and a single colon if using a prefix'
}

/** A `CoreDefinition`, reduced to what the ACL reads. */
export interface CoreModule {
  readonly commands?: object
  readonly plugins?: readonly {
    readonly name: string
    readonly commands?: object
    readonly permissions?: readonly unknown[]
    readonly checkScope?: (value: unknown) => void
  }[]
}

/** Tauri's core plugins that draw. Core has only their commands that list windows; an app can define the others. */
const GUI_PLUGINS: ReadonlySet<string> = new Set(['window', 'webview', 'menu', 'tray', 'image'])

export const isGuiPlugin = (plugin: string): boolean => GUI_PLUGINS.has(plugin)

export function toCommandIdentity(name: string, plugin?: string): CommandIdentity {
  if (plugin === undefined) return { method: name, owner: 'app', ...getPermissions(name) }
  const permissions = getPermissions(name, isGuiPlugin(plugin) ? `core:${plugin}` : plugin)
  return { method: `plugin:${plugin}|${name}`, owner: 'plugin', ...permissions }
}

export const getCommandIdentities = ({ commands = {}, plugins = [] }: CoreModule): CommandIdentity[] => [
  ...Object.keys(commands).map(name => toCommandIdentity(name)),
  ...plugins.flatMap(plugin => Object.keys(plugin.commands ?? {}).map(name => toCommandIdentity(name, plugin.name))),
]

export const getScopeChecks = ({ plugins = [] }: CoreModule): ReadonlyMap<string, (value: unknown) => void> =>
  new Map(plugins.flatMap(({ name, checkScope }) => (checkScope ? [[name, checkScope] as const] : [])))

export function getPluginFiles({ plugins = [] }: CoreModule): PermissionFileSource[] {
  return plugins.flatMap(({ name, permissions = [] }) =>
    permissions.map((value, index) => ({ value, plugin: name, from: `plugin ${name}: permissions[${index}]` })),
  )
}

/** @throws {BusError} InvalidParams for a glob that Rust refuses as well */
export function createGlobMatcher(glob: string): (label: string) => boolean {
  try {
    const pattern = Glob.parseText(glob)
    return label => pattern.matchesText(label)
  } catch (cause) {
    throw new BusError('InvalidParams', `the glob ${JSON.stringify(glob)}: ${describeThrown(cause)}`, { cause })
  }
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Tauri's core plugins by name. Commands `byDefault` are those of the plugin's `default` set. */
export const CORE_COMMANDS: Readonly<Record<string, Record<'byDefault' | 'others', readonly string[]>>> = {
  app: {
    byDefault: words(`version name tauri_version identifier bundle_type register_listener remove_listener
      supports_multiple_windows`),
    others: words(`app_show app_hide default_window_icon set_app_theme fetch_data_store_identifiers remove_data_store
      set_dock_visibility exit`),
  },
  event: { byDefault: words('listen unlisten emit emit_to'), others: [] },
  image: { byDefault: words('new from_bytes from_path rgba size'), others: [] },
  menu: {
    byDefault: words(`new append prepend insert remove remove_at items get popup create_default set_as_app_menu
      set_as_window_menu text set_text is_enabled set_enabled set_accelerator set_as_windows_menu_for_nsapp
      set_as_help_menu_for_nsapp is_checked set_checked set_icon`),
    others: [],
  },
  path: {
    byDefault: words('resolve_directory resolve normalize join dirname extname basename is_absolute'),
    others: [],
  },
  resources: { byDefault: words('close'), others: [] },
  tray: {
    byDefault: words(`new get_by_id remove_by_id set_icon set_menu set_tooltip set_title set_visible set_temp_dir_path
      set_icon_as_template set_icon_with_as_template set_show_menu_on_left_click`),
    others: [],
  },
  webview: {
    byDefault: words('get_all_webviews webview_position webview_size internal_toggle_devtools'),
    others: words(`create_webview create_webview_window webview_close set_webview_size set_webview_position
      set_webview_focus set_webview_zoom set_webview_auto_resize set_webview_background_color webview_hide webview_show
      print reparent clear_all_browsing_data`),
  },
  window: {
    byDefault: words(`get_all_windows scale_factor inner_position outer_position inner_size outer_size is_fullscreen
      is_minimized is_maximized is_focused is_decorated is_resizable is_maximizable is_minimizable is_closable is_visible
      is_enabled is_always_on_top title current_monitor primary_monitor monitor_from_point available_monitors
      cursor_position theme internal_toggle_maximize activity_name scene_identifier`),
    others: words(`create center request_user_attention set_enabled set_resizable set_maximizable set_minimizable
      set_closable set_title maximize unmaximize minimize unminimize show hide close destroy set_decorations set_shadow
      set_effects set_always_on_top set_always_on_bottom set_visible_on_all_workspaces set_content_protected set_size
      set_min_size set_size_constraints set_max_size set_position set_fullscreen set_fullscreen_on_monitor
      set_simple_fullscreen set_focus set_focusable set_skip_taskbar set_cursor_grab set_cursor_visible set_cursor_icon
      set_cursor_position set_ignore_cursor_events start_dragging start_resize_dragging set_progress_bar set_icon
      set_overlay_icon set_badge_count set_badge_label set_background_color set_title_bar_style set_theme
      toggle_maximize`),
  },
}

/** Permissions that every frontend has, unless a capability denies their commands. */
export const PERMISSIONS_OF_ALL: readonly string[] = [
  'core:event:default',
  'core:app:default',
  'core:resources:default',
]
