import { expose, invoke } from '@sallyport/frontend'

expose({
  tools: () => [{ name: 'list', inputSchema: { type: 'object' } }],
  list: () => invoke('list_notes'),
})
