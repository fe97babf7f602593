// A Tauri isolation app: sees every message before core does. This one stops paths that climb.
window.__TAURI_ISOLATION_HOOK__ = ({ cmd, payload, options, ...ids }) => {
  const paths = [payload?.path, payload?.fromPath, payload?.toPath, payload?.oldPath, payload?.newPath, options?.headers?.path]
  const climbs = paths.some(path => typeof path === 'string' && path.split(/[/\\]|%2F|%5C/i).includes('..'))
  return climbs ? null : { cmd, payload, options, ...ids }
}
