// The frontend of `sandbox: 'ses'`: a script, with the client as a global.
const { emit, invoke } = sallyport
await emit('done', { greeting: await invoke('greet', { name: 'World' }) })
