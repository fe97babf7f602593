// Runs in a gate after inject.mjs and before the gate itself: faults between the gate's steps, and those of inject.mjs in the hook.
const { default: crypto } = await import('node:crypto')
const { syncBuiltinESMExports } = await import('node:module')
const { parentPort } = await import('node:worker_threads')
const { createCipheriv } = crypto
const { exit } = process

let armed
const links = []
/** Sets a flag of a ring's control words, and wakes the thread that waits for the doorbell. */
const flag = (ring, word, doorbell) => {
  const control = new Int32Array(ring)
  control[word] = 1
  control[doorbell] = 0
  Atomics.notify(control, doorbell)
}
const close = ({ kind, out, in: inward }) => {
  if (kind === 'ring') {
    flag(out, 1, 64)
    flag(inward, 33, 96)
  } else [out, inward].forEach(port => port.close())
}
const more = {
  'between hook and seal': () => void (armed = 'hook'),
  'between seal and forward': () => void (armed = 'seal'),
  link: () => links.forEach(close),
}
crypto.createCipheriv = (...args) => {
  const cipher = createCipheriv(...args)
  const { getAuthTag, setAAD } = cipher
  // The cipher of the next record is created in advance.
  cipher.setAAD = (...aad) => (armed === 'hook' ? exit(3) : setAAD.apply(cipher, aad))
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
    if (message.link) links.push(message.link)
    take(message)
  })
