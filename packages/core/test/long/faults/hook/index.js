// Fails in the way that a message names: the hook alone, or its whole gate (gate-prelude.mjs).
const deeper = () => deeper() + 1
const kept = []
const faults = {
  return: () => undefined,
  throw: () => {
    throw new Error('broken on purpose')
  },
  'throw null': () => {
    throw null
  },
  reject: () => Promise.reject(new Error('broken on purpose')),
  rejection: message => (void Promise.reject(new Error('broken on purpose')), message),
  overflow: deeper,
  bytes: message => {
    for (let i = 0; i < 16; i++) kept.push(new Uint8Array(2 ** 24))
    return message
  },
  unencodable: message => ({ ...message, payload: { n: 1n } }),
  block: message => {
    const until = Date.now() + 500
    while (Date.now() < until);
    return message
  },
  loop: () => {
    for (;;);
  },
  heap: () => {
    for (;;) kept.push(Array(1e4).fill({}))
  },
}
window.__TAURI_ISOLATION_HOOK__ = message => {
  const { hook, gate } = message.payload ?? {}
  if (gate) console.log(`fault ${gate}`)
  return hook ? faults[hook](message) : message
}
