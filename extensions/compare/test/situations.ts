// Repositories in which somebody runs the command: in a hook, in the middle of a merge, with a disk away. test/repository.test.ts tries the worst of
// them, test/long/repository.test.ts all.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import type { Comparison } from '../src/verdict/judge.js'
import { cli } from './command.js'

/** All are scripts of bash. */
export interface Situation {
  /** Begins in an empty directory of `own`, which has two commits. */
  given?: string
  /** Runs `compare`, itself or by a hook. */
  act: string
  /** Fails if the act has not done what it does without the command. */
  check?: string
  /** The files of both sides differ by more than the commits. */
  isOther?: boolean
  /** Of an error, what the command says. */
  says?: string
}

/** What a build could do to the repository of its own checkout, and a tool that installs hooks does. */
const PREPARE = [
  'git commit --quiet --allow-empty --message first',
  'hooks=$(git rev-parse --git-path hooks) && mkdir -p "$hooks" && touch "$hooks/of-base"',
  'git config core.hooksPath .others',
  'mkdir -p .git/hooks && touch .git/hooks/pre-commit',
  'git add --all && git commit --quiet --allow-empty --message built && git tag --force before',
  'git branch built && git stash list && git update-index --really-refresh',
].join(' && ')

const PROJECT = `
mkdir own && cd own && git init --quiet --initial-branch main
printf '#!/bin/sh\\n[ -z "$GIT_DIR$GIT_INDEX_FILE$GIT_PREFIX$GIT_WORK_TREE" ] || exit 9
echo "work $(cat work.txt) ms"; echo "content $(find . -name .git -prune -o -type f -exec cat {} + | wc -c) B"
' > bench.sh
echo 20 > work.txt; mkdir sub; echo a > sub/a; git add .; git commit --quiet --message one; git tag before
echo 10 > work.txt; git commit --quiet --all --message two
`

/** `as_base` commits all files as the base, whose work is 20 ms, and leaves 10 ms in the tree. */
const FUNCTIONS = `
as_base() { echo 20 > work.txt; git add --all 2> /dev/null; git commit --quiet --message base; git tag --force before > /dev/null; echo 10 > work.txt; }
`

/** A file that the tree has in another form than git. */
const FILTER = `cat > ../filter <<'END'
#!/bin/sh
[ "$1" = clean ] && { cat > /dev/null; printf 'version https://git-lfs.github.com/spec/v1\\n'; exit; }
[ -n "$GIT_LFS_SKIP_SMUDGE" ] && exec cat
cat > /dev/null; seq 1000
END
chmod +x ../filter; git config filter.lfs.smudge "$PWD/../filter smudge"; git config filter.lfs.clean "$PWD/../filter clean"
git config filter.lfs.required true; echo '*.bin filter=lfs' > .gitattributes; printf x > a.bin; as_base
`

const hook = (name: string, directory = '.git/hooks'): string =>
  `mkdir -p ${directory}; printf '#!/bin/sh\\ncompare\\n' > ${directory}/${name}; chmod +x ${directory}/${name}\n`

const isCommitted = (...paths: string[]): string =>
  `git show --format= --name-only HEAD | tr '\\n' ' ' | grep --fixed-strings --line-regexp '${paths.map(path => `${path} `).join('')}'\n`

export const SITUATIONS: Record<string, Situation> = {
  'pre-commit, commit -a': {
    given: `${hook('pre-commit')}echo new > new; git add new; echo 12 > sub/a`,
    act: 'git commit --quiet --all --message three',
    check: `${isCommitted('new', 'sub/a')}[ -z "$(git status --porcelain)" ]`,
    isOther: true,
  },
  'pre-commit in a linked worktree': {
    given: `${hook('pre-commit')}git worktree add --quiet ../linked -b feature; cd ../linked; echo new > new; git add .`,
    act: 'cd ../linked; git commit --quiet --message three',
    check: `cd ../linked; ${isCommitted('new')}[ -z "$(git status --porcelain)" ]`,
    isOther: true,
  },
  'a worktree whose disk is away': {
    given: `mkdir ../disk; git worktree add --quiet --detach ../disk/linked; (cd ../disk/linked; echo x > x; git add x; git commit --quiet --message x
echo y > y; git add y); mv ../disk ../away`,
    act: 'compare',
    check: 'mv ../away ../disk; cd ../disk/linked; git log --oneline | grep x; git diff --cached --name-only | grep y',
  },
  'a clean tree': { act: 'compare' },
  'a dirty tree with a stash': {
    given: `echo stashed >> sub/a; git stash --quiet; echo staged > staged; git add staged; echo more >> sub/a; git rm --quiet --cached bench.sh; echo u > untracked
git add --intent-to-add untracked; touch later`,
    act: 'compare',
    check: 'git stash list | grep WIP',
    isOther: true,
  },
  'an index that is older than its files': { given: 'sleep 0.01; touch work.txt sub/a bench.sh', act: 'compare' },
  'pre-commit, commit <path>': {
    given: `${hook('pre-commit')}echo new > new; git add new; echo 12 > sub/a`,
    act: 'git commit --quiet --message three sub/a',
    check: `${isCommitted('sub/a')}git diff --cached --name-only | grep new`,
    isOther: true,
  },
  'commit-msg': {
    given: `${hook('commit-msg')}echo new > new; git add new`,
    act: 'git commit --quiet --message three',
    check: isCommitted('new'),
    isOther: true,
  },
  'post-commit and post-rewrite, amended': {
    given: `${hook('post-commit')}${hook('post-rewrite')}echo new > new; git add new`,
    act: 'git commit --quiet --amend --no-edit',
    check: isCommitted('new', 'work.txt'),
    isOther: true,
  },
  'pre-commit with the configuration of a command line': {
    given: `${hook('pre-commit', '../hooks')}echo new > new; git add new`,
    act: 'git -c core.hooksPath="$PWD/../hooks" -c core.fsmonitor=/bin/false commit --quiet --message three',
    check: isCommitted('new'),
    isOther: true,
  },
  'pre-push': {
    given: `${hook('pre-push')}git init --quiet --bare ../remote; git remote add origin ../remote`,
    act: 'git push --quiet origin main',
    check: '[ "$(git -C ../remote rev-parse main)" = "$(git rev-parse main)" ]',
  },
  'post-checkout': { given: `git branch other; ${hook('post-checkout')}`, act: 'git checkout --quiet other' },
  'pre-rebase, and each commit of a rebase': {
    given: `git checkout --quiet -b topic before; echo t > t; git add t; git commit --quiet --message t; ${hook('pre-rebase')}`,
    act: 'git rebase --quiet --exec compare main',
    check: `${isCommitted('t')}git merge-base --is-ancestor main topic`,
    isOther: true,
  },
  'post-merge and pre-merge-commit': {
    given: `git checkout --quiet -b topic before; echo t > t; git add t; git commit --quiet --message t; ${hook('post-merge')}${hook('pre-merge-commit')}`,
    act: 'git merge --quiet --no-edit main',
    check: 'git log --merges --format=%s | grep Merge',
    isOther: true,
  },
  'a merge with a conflict': {
    given:
      'git checkout --quiet -b topic before; echo 30 > work.txt; git commit --quiet --all --message t; ! git merge main > /dev/null; echo 10 > work.txt',
    act: 'compare',
    check: 'git ls-files --unmerged | grep work.txt; [ -f .git/MERGE_HEAD ]',
  },
  'a rebase that stopped': {
    given:
      'git checkout --quiet -b topic before; echo 30 > work.txt; git commit --quiet --all --message t; ! git rebase main > /dev/null 2>&1; echo 10 > work.txt',
    act: 'compare',
    check:
      'git add .; GIT_EDITOR=true git rebase --continue > /dev/null 2>&1 || git rebase --skip; git log --oneline | grep two',
  },
  'a bisection': {
    given: 'git bisect start HEAD before > /dev/null',
    act: 'compare',
    check: 'git bisect log | grep good',
  },
  'a branch without a commit': { given: 'git checkout --quiet --orphan other', act: 'compare' },
  'a bare repository': {
    given: 'git clone --quiet --bare . ../bare',
    act: 'cd ../bare; compare',
    says: 'this operation must be run in a work tree',
  },
  'pre-receive of a bare repository': {
    given: `git clone --quiet --bare . ../bare; echo 11 > work.txt; git commit --quiet --all --message three; cd ../bare; ${hook('pre-receive', 'hooks')}`,
    act: 'git push --quiet ../bare main',
    says: 'this operation must be run in a work tree',
    check: '[ "$(git -C ../bare rev-parse main)" = "$(git rev-parse main)" ]',
  },
  'a worktree of a bare repository': {
    given: 'git clone --quiet --bare . ../bare; git -C ../bare worktree add --quiet ../linked main',
    act: 'cd ../linked; compare',
  },
  submodules: {
    given: `git init --quiet ../lib; cd ../lib; echo 20 > work.txt; git add .; git commit --quiet --message one; echo 10 > work.txt; git commit --quiet --all --message two
cd ../own; git submodule --quiet add ../lib lib; git submodule --quiet add ../lib unused; git -C lib checkout --quiet HEAD~1; sed -i s,work.txt,lib/work.txt, bench.sh; as_base
git submodule --quiet deinit --force unused; git -C lib checkout --quiet -; git -C lib config core.fsmonitor "touch $BOX/monitored; false"`,
    act: 'compare',
  },
  'a submodule': {
    given: 'git clone --quiet . ../lib; git submodule --quiet add ../lib lib; git commit --quiet --message three',
    act: 'cd lib; compare',
  },
  'a submodule without its commit': {
    given: `git clone --quiet . ../lib; git submodule --quiet add ../lib lib; git update-index --cacheinfo 160000,0123456789012345678901234567890123456789,lib
git commit --quiet --message three; git tag --force before > /dev/null; git add lib; git commit --quiet --message four`,
    act: 'compare',
    says: '0123456789012345678901234567890123456789 of the submodule lib cannot be checked out. Fetch it',
  },
  'files of Git LFS': { given: FILTER, act: 'compare' },
  'files of Git LFS as pointers': {
    given: `${FILTER}rm a.bin; GIT_LFS_SKIP_SMUDGE=1 git checkout --quiet a.bin`,
    act: 'compare',
  },
  'files of Git LFS that have changed': {
    given: `${FILTER}printf 'version https://git-lfs.github.com/spec/v1\\n 2' > ../p; git update-index --cacheinfo 100644,$(git hash-object --no-filters -w ../p),a.bin
git commit --quiet --message other; rm a.bin; git checkout --quiet a.bin`,
    act: 'compare',
  },
  'a sparse checkout': {
    given: 'mkdir far; echo far > far/far; as_base; git sparse-checkout set sub',
    act: 'compare',
  },
  'a sparse index in a linked worktree': {
    given: `mkdir far; echo far > far/far; as_base; git worktree add --quiet ../linked
cd ../linked; git sparse-checkout set --sparse-index sub; echo 10 > work.txt`,
    act: 'cd ../linked; compare',
  },
  'files that git is told to ignore': {
    given:
      'git update-index --skip-worktree sub/a; echo mine and longer > sub/a; git update-index --assume-unchanged bench.sh',
    act: 'compare',
  },
  'a shallow clone': {
    given:
      'git tag --delete before > /dev/null; echo 11 > work.txt; git commit --quiet --all --message x; git clone --quiet --depth 2 "file://$PWD" ../shallow; git -C ../shallow tag before HEAD~1',
    act: 'cd ../shallow; echo 20 > work.txt; git commit --quiet --all --message y; git tag --force before > /dev/null; echo 10 > work.txt; compare',
  },
  'a partial clone': {
    given: 'git config uploadpack.allowFilter true; git clone --quiet --filter=blob:none "file://$PWD" ../partial',
    act: 'cd ../partial; compare',
    check: 'cd ../partial; [ -n "$(git rev-list --objects --all --missing=print | grep ^?)" ]',
  },
  'hooks and templates of the user': {
    given: `printf '#!/bin/sh\\ntouch "$BOX/hooked"\\n' > ../hook; chmod +x ../hook; mkdir ../hooks ../template ../template/hooks
for name in post-checkout post-index-change reference-transaction pre-auto-gc; do cp ../hook .git/hooks/$name; cp ../hook ../hooks/$name; cp ../hook ../template/hooks/$name; done
git config core.hooksPath "$PWD/../hooks"; git config --global core.hooksPath "$PWD/../hooks"; git config --global init.templateDir "$PWD/../template"; rm -f ../hooked`,
    act: 'compare',
    check: '[ ! -e ../hooked ]',
  },
  'a file system monitor, and commands that collect garbage': {
    given: `git config core.fsmonitor "touch $BOX/monitored; false"; git config gc.auto 1; git config gc.autoDetach false; git config maintenance.auto true
git config core.untrackedCache true; git config --global core.fsmonitor true`,
    act: 'compare',
    check: '[ ! -e ../monitored ]',
  },
  'line ends of Windows': {
    given: `git config core.autocrlf true; printf 'one\\r\\ntwo\\r\\n' > text; as_base; printf '10\\r\\n' > work.txt`,
    act: 'compare',
  },
  'line ends that were configured later': {
    given: `printf 'one\\ntwo\\n' > text; as_base; git config core.autocrlf true; printf '10\\r\\n' > work.txt`,
    act: 'compare',
  },
  attributes: {
    given: `printf 'sub export-ignore\\n*.txt ident\\nwork.txt -ident\\n*.v export-subst\\n' > .gitattributes; printf '$Id$\\n' > id.txt; printf '$Format:%%H$\\n' > a.v
printf 'id.txt text eol=crlf\\n' > .git/info/attributes; as_base; rm id.txt; git checkout --quiet id.txt`,
    act: 'compare',
  },
  'odd names': {
    given: `mkdir -p -- '-d' $'new\\nline' 'ü "q" \\\\'; for name in '-d/-f' $'new\\nline/\\t ' 'ü "q" \\\\/x' ' ' '[*]?' $'\\xff\\xfe' ':(glob)x' 'HEAD'; do echo 1 > "./$name"; done
as_base`,
    act: 'compare',
  },
  'an odd place': {
    given: `git clone --quiet . $'../a "b" \\\\c #d;\\' ü '; cd $'../a "b" \\\\c #d;\\' ü '`,
    act: `cd $'../a "b" \\\\c #d;\\' ü '; compare`,
  },
  'a split index': {
    given: 'git update-index --split-index; git config core.splitIndex true; touch work.txt',
    act: 'compare',
  },
  'a repository elsewhere': {
    given:
      'git clone --quiet --separate-git-dir ../elsewhere . ../separate; git clone --quiet --shared ../separate ../shared',
    act: 'cd ../shared; compare',
  },
  'a repository of SHA-256': {
    given: 'rm -rf .git; git init --quiet --object-format=sha256; as_base',
    act: 'compare',
  },
  'a directory in the repository': {
    given: 'mkdir -p deep/er; cp bench.sh deep/er; cd deep/er; as_base',
    act: 'cd deep/er; compare',
  },
  'configuration of CI': {
    act: 'GIT_TEST_ASSUME_DIFFERENT_OWNER=1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="*" compare',
  },
}

export interface Observed {
  /** Of the exit, or the signal. */
  code: number | string
  stdout: string
  stderr: string
  /** What is different now. */
  changed: string[]
}

export interface Box {
  path: string
  /** What `compare` has found. */
  report: string
  /** Where the command makes its temporary directory. */
  temporary: string
  /** Runs a script in `own`. @throws with what it said if it fails */
  bash(script: string, env?: Record<string, string>): string
  /** What each `compare` has found. */
  read(): Observed[]
  readComparison(): Comparison
}

/** A directory with a repository, a home and nothing else; what the command may write is beside it. */
export function createBox(): Box {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-box-')))
  onTestFinished(() => rmSync(top, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  const [path, bin, temporary] = ['box', 'bin', 'temporary'].map(name => join(top, name)) as [string, string, string]
  const report = join(top, 'report')
  for (const directory of [path, bin, temporary]) mkdirSync(directory)
  const observed = fileURLToPath(new URL('observed.mjs', import.meta.url))
  const options = '--base before --runs 8 --tolerance content=1000%'
  const command = `exec '${process.execPath}' '${observed}' '${cli}' ${options} --out "$REPORT.d" --prepare "$PREPARE" -- \${PROGRAM:-sh bench.sh}`
  // A hook that a git of the command or of its build starts would start the command again, without end.
  const guard = '[ -z "$IS_INSIDE" ] || { touch "$BOX/hooked-inside"; exit 1; }; export IS_INSIDE=1'
  writeFileSync(join(bin, 'compare'), `#!/bin/sh\n${guard}\n${command}\n`, { mode: 0o755 })
  writeFileSync(
    join(path, '.gitconfig'),
    '[user]\n\tname = Test\n\temail = test@example.org\n[protocol "file"]\n\tallow = always\n[advice]\n\tdetachedHead = false\n',
  )
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))
  const env = {
    ...Object.fromEntries(inherited),
    ...{
      HOME: path,
      XDG_CONFIG_HOME: path,
      GIT_CONFIG_NOSYSTEM: '1',
      TMPDIR: temporary,
      PREPARE,
      BOX: path,
      CI: '1',
      GITHUB_STEP_SUMMARY: '',
    },
    ...{ REPORT: report, PATH: bin + delimiter + process.env['PATH'] },
  }
  const bash: Box['bash'] = (script, more) => {
    const cwd = existsSync(join(path, 'own')) ? join(path, 'own') : path
    const run = ['-e', '-o', 'pipefail', '-c', FUNCTIONS + script]
    return execFileSync('bash', run, { cwd, env: { ...env, ...more }, encoding: 'utf8', stdio: 'pipe' })
  }
  bash(PROJECT)
  return {
    ...{ path, report, temporary, bash },
    read: () => JSON.parse(`[${readFileSync(report, 'utf8').slice(0, -1)}]`) as Observed[],
    readComparison: () => JSON.parse(readFileSync(join(`${report}.d`, 'compare.json'), 'utf8')) as Comparison,
  }
}

/** Checks that the command was right, and has changed nothing, not even the time of a file. */
export function checkSituation({ given = '', act, check = '', isOther = false, says }: Situation): void {
  const box = createBox()
  box.bash(given)
  box.bash(act)
  const all = box.read()
  for (const { code, stderr, changed } of all)
    expect({ changed, code, stderr }).toEqual({
      ...{ changed: [], code: says === undefined ? 0 : 2 },
      stderr: says === undefined ? expect.anything() : expect.stringContaining(says),
    })
  expect(all.length).toBeGreaterThan(0)
  box.bash(`${check}\ngit fsck --no-dangling --no-progress 2>&1`)
  expect(readdirSync(box.temporary)).toEqual([])
  if (says !== undefined) return
  const [work, content] = box.readComparison().first.map(({ medians }) => medians)
  expect(work).toEqual({ base: 20_000, head: 10_000, unit: 'µs' })
  if (!isOther) expect(content!.base).toBe(content!.head)
}
