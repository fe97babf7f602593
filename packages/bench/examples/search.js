// sallyport-bench --scenario search.js: what does the bus add to a function of mine?
import { createBus } from '@sallyport/core'
import { callArm, latency, rate } from '@sallyport/bench'
import { search } from './search-core.js'

const call = { command: 'search', args: { text: 'ring' }, expected: search({ text: 'ring' }) }
const payload = { id: 'ring', title: 'a search for ring', calls: [call] }

const direct = callArm('direct', 'a function, called', async () => ({
  call: async (_, args) => search(args),
  close: async () => {},
}))

const bus = callArm('bus', 'the same over the bus', async () => {
  const opened = await createBus({ core: new URL('./search-core.js', import.meta.url), log: false })
  const client = await opened.connect('bench')
  return { call: (command, args) => client.invoke(command, args), close: () => opened.close() }
})

export default {
  id: 'search',
  title: 'My search',
  about: 'a search in a list of words; the reference is the function itself',
  // The first is the reference of the others.
  arms: [direct, bus],
  cases: [
    {
      id: '1',
      title: 'one at a time',
      task: { loop: 'calls', inFlight: 1 },
      payload,
      figures: [latency('p50', 'p50')],
    },
    {
      id: '64',
      title: '64 in flight',
      task: { loop: 'calls', inFlight: 64 },
      payload,
      figures: [rate('rate', 'calls')],
    },
  ],
  rows: 'arms',
}
