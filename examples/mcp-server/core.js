// @ts-check
// The core module: what the application offers to plugins.
import { CommandError, defineCore } from '@sallyport/core'

const notes = new Map([
  ['door', 'The sally port is the small door of a castle.'],
  ['keys', 'The guard has the keys of the small door.'],
])

export default defineCore({
  commands: {
    list_notes: () => [...notes.keys()],
    /** @param {{ id: string }} args */
    read_note({ id }) {
      const text = notes.get(id)
      if (text === undefined) throw new CommandError('NO_SUCH_NOTE', `There is no note ${id}`)
      return text
    },
    /** @param {{ id: string }} args */
    delete_note: ({ id }) => notes.delete(id),
  },
})
