import { emit, invoke } from '@sallyport/frontend'

await emit('greeted', await invoke('greet', { name: 'World' }))
