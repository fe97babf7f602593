// @ts-check
// The plugin's permission file: `fs:default`, the sets that most capabilities name, and `fs:scope`. The latter names no command, so its
// paths apply to all commands. Permissions such as `fs:allow-stat` are generated for each command.

const READ = [
  'read_dir',
  'read_file',
  'read',
  'open',
  'read_text_file',
  'read_text_file_lines',
  'read_text_file_lines_next',
]
const META = ['seek', 'stat', 'lstat', 'fstat', 'exists', 'size', 'watch', 'unwatch']
const WRITE = ['mkdir', 'create', 'copy_file', 'remove', 'rename', 'truncate', 'ftruncate', 'write']
const WRITE_WHOLE = ['write_file', 'write_text_file']

export const permissions = [
  {
    default: { description: 'Reading, within what fs:scope allows', permissions: ['read-all', 'read-meta'] },
    permission: [
      { identifier: 'read-all', description: 'All commands that read', commands: { allow: READ } },
      {
        identifier: 'read-meta',
        description: 'All commands that read information about files',
        commands: { allow: META },
      },
      {
        identifier: 'write-all',
        description: 'All commands that write',
        commands: { allow: [...WRITE, ...WRITE_WHOLE, 'open'] },
        // Without this entry `open` only reads, because `read-all` allows it too.
        scope: { allow: [{ write: true }] },
      },
      { identifier: 'scope', description: 'Paths for all commands: give it allow and deny in a capability' },
    ],
  },
]
