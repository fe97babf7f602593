// Does what its caller asks for, however bad.
import { expose, invoke } from '@sallyport/frontend'

const names = ['throws', 'never', 'spins', 'denied', 'exits', 'crashes', 'hoards', 'cyclic', 'prints', 'fine']
const kept = []

expose({
  tools: () => names.map(name => ({ name, inputSchema: { type: 'object' } })),
  throws() {
    throw new Error('not today')
  },
  never: () => new Promise(() => {}),
  spins() {
    for (;;);
  },
  denied: () => invoke('delete_note', { id: 'door' }),
  exits: () => process.exit(0),
  crashes() {
    setImmediate(() => {
      throw new Error('a bug')
    })
    return new Promise(() => {})
  },
  hoards() {
    for (;;) kept.push('x'.repeat(100_000).split(''))
  },
  cyclic() {
    const value = {}
    value.self = value
    return value
  },
  prints() {
    console.log('by console.log')
    process.stdout.write('by process.stdout\n')
    return 'printed'
  },
  fine: () => 'fine',
})
