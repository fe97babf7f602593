window.__TAURI_ISOLATION_HOOK__ = (payload) => {
  // Validate, modify, or reject IPC payloads
  // Examples: verify file paths, validate HTTP origins, sanitize event data
  console.log('hook', payload);
  return payload;
};
