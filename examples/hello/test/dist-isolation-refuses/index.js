// Refuses one event, and fails on one command.
window.__TAURI_ISOLATION_HOOK__ = (message) => {
  if (message.cmd === 'plugin:event|emit' && message.payload.event === 'frontend-event') return null;
  if (message.cmd === 'process_data') throw new Error('The hook broke');
  return message;
};
