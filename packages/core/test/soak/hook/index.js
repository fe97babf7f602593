// Lets pass, rejects, takes its time, and breaks its gate: as the message asks for.
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
  // More than a gate may keep.
  keep() {
    for (;;) kept.push({ some: [1, 2, 3] })
  },
}
window.__TAURI_ISOLATION_HOOK__ = message => (ways[message.payload?.hook] ?? pass)(message)
