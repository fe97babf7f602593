// Passes, rejects or delays a message, or fails its gate, as the message requests.
const kept = []
const pass = message => message
const ways = {
  reject: () => null,
  later: message => Promise.resolve().then(() => message),
  busy(message) {
    for (const end = Date.now() + 20; Date.now() < end;);
    return message
  },
  spin() {
    for (;;);
  },
  // More memory than a gate can have.
  keep() {
    for (;;) kept.push({ some: [1, 2, 3] })
  },
}
window.__TAURI_ISOLATION_HOOK__ = message => (ways[message.payload?.hook] ?? pass)(message)
