// Tries what its sandbox and permissions exclude, and returns the outcomes.
import { expose, invoke } from '@sallyport/frontend'
import { readFileSync } from 'node:fs'

const look = async (what, attempt) =>
  `${what}: ${await attempt().then(
    () => 'open',
    ({ reason, code }) => reason ?? code,
  )}`

expose({
  transform: async () =>
    [
      await look("another plugin's storage", () => invoke('plugin:fs|read_text_file', { path: '../count/total.txt' })),
      await look('a path', () => invoke('plugin:fs|read_text_file', { path: '/etc/hostname' })),
      await look('a command not granted', () => invoke('notify', { text: 'hello' })),
      await look('the file system', async () => readFileSync('/etc/hostname')),
      await look('programs', async () => (await import('node:child_process')).execSync('true')),
    ].join('\n'),
})
