// The frontend of `sandbox: 'quickjs'`: a script, with the client as a global.
const { emit, invoke } = sallyport
await emit('done', { greeting: await invoke('greet', { name: 'World' }) })
