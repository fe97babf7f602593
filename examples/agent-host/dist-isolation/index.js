// Lists the calls that a script can make, and checks their arguments. A file is one plain name, so no path leads out of the workspace.
// The hook runs before core sees a message, in a sandbox that the script cannot reach.
const isText = (value, maxLength) => typeof value === 'string' && value.length <= maxLength
const isFile = ({ name }) => isText(name, 100) && /^\w[\w.-]*$/.test(name)

const ALLOWED = new Map([
  ['plugin:tools|list_files', () => true],
  ['plugin:tools|read_file', isFile],
  ['plugin:tools|write_file', payload => isFile(payload) && isText(payload.text, 65536)],
  ['plugin:tools|delete_file', isFile],
  ['plugin:expose|answer', () => true], // the script's answer to its host
])

window.__TAURI_ISOLATION_HOOK__ = message => (ALLOWED.get(message.cmd)?.(message.payload) === true ? message : null)
