// Runs in a gate after inject.mjs and before the gate itself: faults between the gate's steps, and those of inject.mjs in the hook.
const { default: crypto } = await import('node:crypto')
const { syncBuiltinESMExports } = await import('node:module')
const { parentPort } = await import('node:worker_threads')
const { createCipheriv } = crypto
const { exit } = process

let armed
const ports = []
const more = {
  'between hook and seal': () => void (armed = 'hook'),
  'between seal and forward': () => void (armed = 'seal'),
  ports: () => ports.forEach(port => port.close()),
}
crypto.createCipheriv = (...args) => {
  if (armed === 'hook') exit(3)
  const cipher = createCipheriv(...args)
  const { getAuthTag } = cipher
  cipher.getAuthTag = () => (armed === 'seal' ? exit(3) : getAuthTag.call(cipher))
  return cipher
}
syncBuiltinESMExports()

const { postMessage } = parentPort
parentPort.postMessage = (message, ...rest) => {
  const [, how] = /^fault (.*)$/.exec(message?.text ?? '') ?? []
  if (how) (faults[how] ?? more[how])()
  else postMessage.call(parentPort, message, ...rest)
}

const { on } = parentPort
parentPort.on = (name, take) =>
  on.call(parentPort, name, message => {
    if (message.link) ports.push(message.link.port)
    take(message)
  })
