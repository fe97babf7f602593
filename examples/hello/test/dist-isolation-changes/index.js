// Changes what passes: the payload in place, the payload as a whole, or the command.
window.__TAURI_ISOLATION_HOOK__ = (message) => {
  if (message.cmd === 'greet' && message.payload.name === 'World') message.payload.name = 'hook';
  if (message.cmd === 'process_data') return { ...message, payload: { input: message.payload.input.trim() } };
  if (message.cmd === 'process_file') return { cmd: 'greet', payload: { name: message.payload.path } };
  if (message.cmd === 'plugin:event|emit') message.payload.payload = { data: 'changed' };
  return message;
};
