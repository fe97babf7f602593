// Lists the calls that plugins can make, and checks their arguments. The hook runs before core sees a message, in a sandbox that plugins
// cannot reach. Capabilities then decide which plugin can make the call.
const isText = (value, maxLength) => typeof value === 'string' && value.length <= maxLength
const isPath = ({ path }) => isText(path, 1000) && !path.includes('..')

const ALLOWED = new Map([
  ['plugin:fs|read_text_file', isPath],
  // The text as bytes. The path is a header, which permissions check.
  ['plugin:fs|write_text_file', ({ length }) => length <= 65536],
  ['notify', ({ text }) => isText(text, 200)],
  // The answer of a plugin to the host.
  ['plugin:expose|answer', ({ result, error }) => error !== undefined || isText(result, 1000000)],
])

window.__TAURI_ISOLATION_HOOK__ = message => (ALLOWED.get(message.cmd)?.(message.payload) === true ? message : null)
