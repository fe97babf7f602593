// Tauri's own plugins: their names are not for others, and each has a default set of permissions.

export const CORE_PLUGINS: readonly string[] = [
  'app',
  'event',
  'image',
  'menu',
  'path',
  'resources',
  'tray',
  'webview',
  'window',
]
