// Lists the messages that plugins can send, and checks their arguments. Everything else is rejected. The hook runs before core sees a
// message, in a sandbox that plugins cannot reach. A new command needs a line here. Events are not on the list, so plugins cannot listen
// or emit.
const isText = (value, maxLength) => typeof value === 'string' && value.length <= maxLength

const ALLOWED = new Map([
  ['notify', ({ text }) => isText(text, 200)],
  ['read_setting', ({ name }) => isText(name, 50)],
  // The answer of a plugin to the host.
  ['plugin:expose|answer', ({ result, error }) => error !== undefined || isText(result, 10000)],
])

window.__TAURI_ISOLATION_HOOK__ = message => (ALLOWED.get(message.cmd)?.(message.payload) === true ? message : null)
