// What plugins may say at all, and with what arguments. It runs in a sandbox that no plugin reaches, before core sees a
// message; capabilities then say which plugin may.
const isText = (value, most) => typeof value === 'string' && value.length <= most
const isPlace = ({ folder, name }) => isText(folder, 20) && isText(name, 100) && /^\w[\w.-]*$/.test(name)

const ALLOWED = new Map([
  ['plugin:files|read_text', isPlace],
  ['plugin:files|write_text', payload => isPlace(payload) && isText(payload.text, 65536)],
  ['notify', ({ text }) => isText(text, 200)],
  // What a plugin answers to the host.
  ['plugin:expose|answer', ({ result, error }) => error !== undefined || isText(result, 1000000)],
])

window.__TAURI_ISOLATION_HOOK__ = message => (ALLOWED.get(message.cmd)?.(message.payload) === true ? message : null)
