// What the command must never do to somebody's repository, and what it says when it cannot judge. The whole table is in test/long/repository.test.ts.
import { execFileSync } from 'node:child_process'
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { type Ended, type How, run } from '../../../packages/measure/test/run-command.js'
import { cli } from './command.js'
import { checkSituation, SITUATIONS } from './situations.js'

const WORST = [
  'pre-commit, commit -a',
  'pre-commit in a linked worktree',
  'a worktree whose disk is away',
  'submodules',
]

test('changes nothing in a repository, and takes nothing from a hook', () =>
  rows(Object.fromEntries(WORST.map(name => [name, SITUATIONS[name]!])))(checkSituation))

test('exits with 1 for a regression, and for nothing else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-exits-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const at = (name: string): string => join(directory, name)
  const git = (...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], { cwd: at('own') })
  for (const name of ['own/part', 'before/part', 'bin', 'alone', 'odd']) mkdirSync(at(name), { recursive: true })
  for (const name of ['own', 'before']) writeFileSync(at(`${name}/bench.sh`), 'echo "parse 12 ms"')
  execFileSync('mkfifo', [at('held')])
  // Ends all that read it.
  onTestFinished(() => closeSync(openSync(at('held'), 'r+')))
  writeFileSync(at('own/package.json'), '{')
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message', 'one')
  writeFileSync(at('own/bench.sh'), 'echo "parse 24 ms"')
  writeFileSync(at('own/package.json'), '{}')
  copyFileSync(cli, at('alone/cli.js'))
  writeFileSync(at('alone/package.json'), '{ "type": "module" }')
  // A fault of our own, later.
  const fault = "if (process.argv[1]?.endsWith('cli.js')) setTimeout(() => { throw new Error('our fault') }, 300)"
  writeFileSync(at('fault.cjs'), fault)
  writeFileSync(at('bin/git'), '#!/bin/sh\nexit 66\n', { mode: 0o755 })
  const isHead = '[ "${PWD##*/}" = own ]'
  const base = ['--base', 'HEAD', '--prepare', 'true']
  const interrupt = (signal: NodeJS.Signals): How => ({
    watch: (said, kill) => void (said.includes('round 1') && kill(signal)),
  })
  const bench = ['sh', 'bench.sh']
  type Row = [
    args: readonly string[],
    program: readonly string[],
    code: number,
    said: RegExp,
    how?: How,
    script?: string,
  ]
  await rows<Row>({
    'a regression': [base, bench, 1, /Regression: 1 of 1 figure/],
    'a regression of a program by its path': [base, ['sh', at('own/bench.sh')], 1, /Regression: 1 of 1 figure/],
    'a regression of a program that the environment names': [
      base,
      ['sh', '-c', '. "$BENCH"'],
      1,
      /Regression: 1 of 1 figure/,
      { env: { BENCH: at('own/bench.sh') } },
    ],
    'a regression of a program above the directory of both': [
      ['--base', '../../before/part'],
      ['sh', '-c', '. "$BENCH"'],
      1,
      /Regression: 1 of 1 figure/,
      { cwd: at('own/part'), env: { BENCH: at('own/bench.sh') } },
    ],
    'a figure by the path of its file': [
      base,
      ['sh', '-c', 'echo "$PWD/bench.sh 12 ms"'],
      0,
      /No regression: 1 figure/,
    ],
    'a program that leaves another behind': [base, ['sh', '-c', 'sleep 1000 & echo a 1 ms'], 0, /No regression/],
    'a program that leaves another behind in a session of its own': [
      base,
      ['sh', '-c', 'setsid -f cat ../held; echo a 1 ms'],
      0,
      /No regression/,
    ],
    'a program that prints without end': [base, ['yes'], 2, /`yes` printed more than 64 MiB/],
    'a wrong option': [['--bse'], bench, 2, /Unknown option/],
    'too few runs': [[...base, '--runs', '7'], bench, 2, /from 8 on/],
    'no such base': [['--base', 'nothing'], bench, 2, /'nothing' is not a directory or a git ref/],
    'no repository': [base, bench, 2, /not a git repository/, { cwd: at('odd') }],
    'a package.json that is no JSON': [['--base', 'HEAD'], bench, 2, /package\.json cannot be read/],
    'a build that fails': [['--base', 'HEAD', '--prepare', 'exit 1'], bench, 2, /with exit code 1/],
    'a head that crashes': [
      base,
      ['sh', '-c', `${isHead} && exit 1; echo a 1 ms`],
      2,
      /failed in \S+own with exit code 1/,
    ],
    'a head that is killed': [
      base,
      ['sh', '-c', `${isHead} && kill -SEGV $$; echo a 1 ms`],
      2,
      /failed in \S+own with SIGSEGV/,
    ],
    'a head that crashes in its last run': [
      base,
      ['sh', '-c', `${isHead} && echo >> runs && [ $(wc -l < runs) = 9 ] && exit 1; echo a 1 ms`],
      2,
      /failed in \S+own with exit code 1/,
    ],
    'a base that crashes': [
      base,
      ['sh', '-c', `${isHead} || exit 1; echo a 1 ms`],
      2,
      /checkout-of-base with exit code 1/,
    ],
    'a program that prints nothing': [base, ['true'], 2, /No figure found/],
    'no such program': [base, ['no-such-program'], 2, /could not start/],
    'no git': [base, [process.execPath, '-v'], 2, /spawn git ENOENT/, { env: { PATH: '/nowhere' } }],
    'a git that fails': [
      base,
      bench,
      2,
      /git rev-parse: /,
      { env: { PATH: at('bin') + delimiter + process.env['PATH'] } },
    ],
    'no place for the checkout': [base, bench, 2, /ENOENT/, { env: { TMPDIR: at('nowhere') } }],
    'a full disk': [base, bench, 2, /ENOSPC/, { env: { GITHUB_STEP_SUMMARY: '/dev/full' } }],
    'a fault of our own': [
      base,
      ['sh', '-c', 'sleep 0.1; echo a 1 ms'],
      2,
      /our fault/,
      { env: { NODE_OPTIONS: `--require ${at('fault.cjs')}` } },
    ],
    'a part of our own that is missing': [base, bench, 2, /#measure\/cli/, {}, at('alone/cli.js')],
    'Ctrl-C': [base, ['sh', '-c', 'sleep 0.05; echo a 1 ms'], 130, /Stopped/, interrupt('SIGINT')],
    'an end from outside': [base, ['sh', '-c', 'sleep 0.05; echo a 1 ms'], 143, /Stopped/, interrupt('SIGTERM')],
  })(async ([args, program, code, said, how, script = cli]) => {
    rmSync(at('own/runs'), { force: true })
    const all = ['--out', at('out'), ...(args.includes('--runs') ? [] : ['--runs', '8']), ...args, '--', ...program]
    const { stdout, stderr, ...ended }: Ended = await run(script, all, { cwd: at('own'), ...how })
    expect({ code: ended.code, said: stdout + stderr }).toEqual({ code, said: expect.stringMatching(said) })
  })
})
