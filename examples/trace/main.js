// @ts-check
// A frontend that sends what it recorded to core: a sandboxed frontend cannot write files.
import { emit, getLabel, invoke } from '@sallyport/frontend'
import { recordTrace } from './record-trace.js'

const stop = recordTrace(events => void invoke('trace', { events }), getLabel())
for (const name of ['World', 'Perfetto']) await invoke('greet', { name })
stop()
await emit('done')
