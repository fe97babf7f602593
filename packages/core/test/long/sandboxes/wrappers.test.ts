// Programs that start a process for a launcher, and pass nothing on but standard input and output, with no word of it in the launcher. Frames pass
// the relay then, because the process has not inherited the sockets.
import { expect, test } from 'vitest'
import { bubblewrap, type Launcher } from '../../../src/launchers.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { rows } from '../../../../../scripts/testing.js'
import { fixture, isolation, start } from '../../support/start.js'

const CLOSE = 'for n in 3 4 5 6 7 8 9; do eval "exec $n<&-"; done; exec "$@"'
const MEGABYTES = 3_000_000

type Launch = Launcher['launch']
/** @param first - what a shell runs before the command, which has no descriptors but the standard ones */
const shell =
  (first: string, ...prefix: string[]): Launch =>
  (command, args) => ({ command: '/bin/sh', args: ['-c', `${first}${CLOSE}`, 'sh', ...prefix, command, ...args] })
/** As ssh: what it is given are words that another shell parses, in an environment and a directory of its own. */
const ssh: Launch = (command, args) => {
  const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
  const elsewhere = `${CLOSE.replace('"$@"', '/usr/bin/env -i HOME=/root USER=root /bin/sh -c "cd / && $*"')}`
  return { command: '/bin/sh', args: ['-c', elsewhere, 'ssh', ...[command, ...args].map(quote)] }
}
const runs =
  (program: string): Launch =>
  () => ({ command: '/bin/sh', args: ['-c', program] })

async function open(launch: Launch, app = {}) {
  const printed: string[] = []
  const bus = await start(app)
  await bus.open('main', fixture('sandboxes/wrapped.mjs'), {
    sandbox: { kind: 'process', wall: { name: 'wrapper', launch } },
    allow: '*',
    supervision: { restart: 'temporary' },
    onStdio: (text, { stream }) => void printed.push(`${stream}: ${text}`),
  })
  return { bus, printed }
}

async function use({ bus, printed }: Awaited<ReturnType<typeof open>>): Promise<void> {
  expect(await bus.call('main', 'ask')).toBe(3)
  expect(await bus.call('main', 'give', { bytes: 0 })).toBe('')
  expect(await bus.call<string>('main', 'give', { bytes: MEGABYTES })).toHaveLength(MEGABYTES)
  expect(await bus.call('main', 'take', { text: 'x'.repeat(MEGABYTES) })).toBe(MEGABYTES)
  const counted: unknown[] = []
  for await (const number of bus.stream('main', 'count', { to: 1000 })) counted.push(number)
  expect(counted).toEqual(Array.from({ length: 1000 }, (_, number) => number))
  await bus.call('main', 'print')
  await expect.poll(() => printed.join('')).toContain('by number')
  // `setsid` exits with the number of the signal.
  await expect(bus.call('main', 'abort')).rejects.toThrow(/SIGABRT|code 6/)
  const all = printed.join('')
  expect(all).toMatch(/stdout: a line\n[^]*by number\n[^]*last line 100\n[^]*last words\n/)
  expect(all).toMatch(/stderr: [^]*an error/)
}

test.runIf(process.platform === 'linux')('a process answers, streams and prints behind each wrapper', async () => {
  const hasBubblewrap = (await findWall()).launcher?.name === 'bubblewrap'
  const wall = hasBubblewrap ? await bubblewrap() : undefined
  await rows<[string, Launch, object?]>([
    ['a shell that closes its descriptors', shell('')],
    ['an environment that is emptied', shell('', '/usr/bin/env', '-i')],
    ['another session', shell('', '/usr/bin/setsid', '-w')],
    ['a shell that joins its arguments, elsewhere', ssh],
    ['a login that prints', shell('echo; echo Last login: never; seq 1 2000; ')],
    ['a login that prints to standard error', shell('seq 1 2000 >&2; ')],
    [
      'a wall',
      (command, args, info) => {
        const launch = wall?.launch(command, args, info) ?? { command, args }
        const keeps = 'for n in 3 4 7 8 9; do eval "exec $n<&-"; done; exec "$@"'
        return { ...launch, command: '/bin/sh', args: ['-c', keeps, 'sh', launch.command, ...launch.args] }
      },
    ],
    ['a shell, in isolation', shell(''), isolation('judge')],
    // The socket from the gate is there, and that from core is not.
    [
      'a shell that closes one socket, in isolation',
      (command, args) => ({ command: '/bin/sh', args: ['-c', 'exec 8<&-; exec "$@"', 'sh', command, ...args] }),
      isolation('judge'),
    ],
  ])(async (_what, launch, app) => use(await open(launch, app)))
})

/** Frames of their own sockets, and none. */
const ways: [string, Launch][] = [
  ['with sockets', (command, args) => ({ command, args: [...args] })],
  ['without', shell('')],
]

test.runIf(process.platform === 'linux')('the error that ends a process passes what it has printed before', () =>
  rows(ways)(async (_way, launch) => {
    const { bus } = await open(launch)
    await expect(bus.call('main', 'throw', { lines: 5000 })).rejects.toThrow('it failed: the reason')
  }),
)

test.runIf(process.platform === 'linux')('a process that exits once a print has called back has lost nothing', () =>
  rows(ways)(async (_way, launch) => {
    const { bus, printed } = await open(launch)
    await expect(bus.call('main', 'leave', { bytes: MEGABYTES })).rejects.toThrow('it exited with code 3')
    await expect.poll(() => printed.join('').endsWith('the end')).toBe(true)
  }),
)

test.runIf(process.platform === 'linux')(
  'a wrapper that does not start the process is named, with what it said last',
  () =>
    rows<[string, Launch, string | RegExp]>([
      ['exits', runs('exit 3'), 'its launcher "wrapper" (/bin/sh) exited with code 3 before the process started'],
      [
        'says why',
        runs('echo No such image: x >&2; exit 125'),
        'exited with code 125 before the process started. It said last: No such image: x',
      ],
      [
        'says why to standard output',
        runs('echo one; echo No such host: y; exit 255'),
        'exited with code 255 before the process started. It said last: No such host: y',
      ],
      [
        'says something to both',
        runs('echo a warning >&2; echo a reason; exit 1'),
        'It said last: a warning; and to standard output: a reason',
      ],
      [
        'starts what is missing',
        () => ({ command: process.execPath, args: ['/none.cjs'] }),
        /It said last: Error: Cannot find module '\/none\.cjs'$/,
      ],
      [
        'starts what it may not read',
        (command, args) => ({ command, args: args.filter(flag => !flag.startsWith('--allow-fs-read=')) }),
        // From Node 22 on, a process may read its program: the code of the frontend is denied instead.
        Number.parseInt(process.versions.node) < 22
          ? /It said last: Error: Access to this API has been restricted.*, resource: '.*process\.c?js'$/
          : /^The sandbox denied FileSystemRead of .*wrapped\.mjs\. /,
      ],
      [
        'starts another Node.js',
        () => ({ command: process.execPath, args: ['--none'] }),
        `bad option: --none. It must start Node.js ${process.version}, as this host has`,
      ],
      ['passes no standard input', shell('exec </dev/null; '), /standard input of this process is no pipe/],
      ['passes no standard output', shell('exec >/dev/null; '), /standard output of this process is no pipe/],
      [
        'prints for ever',
        runs('exec 2>/dev/null; while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done'),
        /its launcher "wrapper" \(\/bin\/sh\) printed more than 64 KiB before the process started\. It said last: a+$/,
      ],
      ['ends within the greeting', runs("printf '\\nsally'; exit 1"), 'before the process started'],
    ])(async (_what, launch, message) => {
      await expect(open(launch)).rejects.toThrow(message)
    }),
)
