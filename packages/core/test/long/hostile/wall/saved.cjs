// Loaded before Sallyport removes functions: an attacker who has left the permission model has them all.
const { getSystemErrorName } = require('node:util')

const { _kill: sendSignal } = process

globalThis.saved = {
  kill(pid, signal) {
    const errno = sendSignal(pid, signal)
    if (errno !== 0) throw Object.assign(new Error('Not sent'), { code: getSystemErrorName(errno) })
  },
  debugProcess: process._debugProcess.bind(process),
  setPriority: require('node:os').setPriority,
}
// Sallyport starts no frontend without the permission model.
process.permission = { has: () => false }
