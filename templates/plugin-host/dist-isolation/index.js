// What plugins may say at all, and with what arguments: what is not on this list does not pass. It runs in a sandbox that no
// plugin reaches, before core sees a message. A new command needs a line here. Events are not on it: plugins neither hear nor
// send any.
const isText = (value, most) => typeof value === 'string' && value.length <= most

const ALLOWED = new Map([
  ['notify', ({ text }) => isText(text, 200)],
  ['read_setting', ({ name }) => isText(name, 50)],
  // What a plugin answers to the host.
  ['plugin:expose|answer', ({ result, error }) => error !== undefined || isText(result, 10000)],
])

window.__TAURI_ISOLATION_HOOK__ = message => (ALLOWED.get(message.cmd)?.(message.payload) === true ? message : null)
