// Does nothing, so that what is left to measure is the way through the gate.
window.__TAURI_ISOLATION_HOOK__ = payload => payload
