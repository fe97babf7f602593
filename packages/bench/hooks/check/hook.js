// What Tauri's documentation shows as a comprehensive hook: a list of allowed commands, and a look at the paths in their
// arguments. The benchmark's own commands are on the list.
const ALLOWED_COMMANDS = ['greet', 'echo', 'echo_bytes']
const BLOCKED_PATHS = ['/etc/', '/usr/', '/System/']

window.__TAURI_ISOLATION_HOOK__ = message => {
  // The bus's own commands, such as `plugin:event|listen`.
  if (message.cmd.startsWith('plugin:')) return message
  if (!ALLOWED_COMMANDS.includes(message.cmd)) {
    console.warn('Blocked unknown command:', message.cmd)
    return null
  }
  const path = message.payload?.path
  if (typeof path === 'string' && BLOCKED_PATHS.some(blocked => path.startsWith(blocked))) {
    console.error('Blocked access to protected path:', path)
    return null
  }
  return message
}
