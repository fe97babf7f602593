// A typing error in the commands of a permission file is reported: in a `deny` it would deny nothing.
import { expect, test } from 'vitest'
import { make } from './make.js'

test('reports unknown commands with the nearest known one', () => {
  const { warnings } = make({
    permissions: {
      app: {
        permission: [
          { identifier: 'fine', commands: { allow: ['greet', 'save_file'] } },
          { identifier: 'typing', commands: { allow: ['save_fiel'], deny: ['add', 'greeet'] } },
        ],
      },
      fs: { permission: [{ identifier: 'odd', commands: { deny: ['reed_file', 'something_else'] } }] },
      // Not of this core.
      dialog: { permission: [{ identifier: 'open', commands: { allow: ['open'] } }] },
    },
  })
  expect(warnings).toEqual([
    'permissions/app.toml: permission[1].commands.allow: there is no command "save_fiel" (did you mean "save_file"?)',
    'permissions/app.toml: permission[1].commands.deny: there is no command "greeet" (did you mean "greet"?)',
    'permissions/fs.toml: permission[0].commands.deny: there is no command "reed_file" (did you mean "read_file"?)',
  ])
})
