// What the peers call: in piscina and tinypool a task is a function that a module exports by its name.
export { echo, echo as echo_bytes, greet, readKib as read_kib } from './handlers.js'
