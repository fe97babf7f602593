// The release workflow's own check, run as GitHub would: a tag that is not the version of every package publishes nothing.
import { expect, test } from 'vitest'
import { getDirectory, PACKAGES } from '../../../../scripts/packed/pack.mjs'
import { getJob, readRepositoryFile, runStep, getStep } from '../steps.js'

const step = getStep('release.yml', 'publish', 'The tag is the version')
const DIRECTORIES = getJob('release.yml', 'publish').env['DIRECTORIES']!
const { version } = JSON.parse(readRepositoryFile('packages/core/package.json')) as { version: string }

/** Runs it in a directory that has only the names and versions of the packages. */
function checked(tag: string, versions: Record<string, string> = {}) {
  const files = PACKAGES.map(
    name => `mkdir -p ${getDirectory(name)}
    echo '${JSON.stringify({ version: versions[name] ?? version })}' > ${getDirectory(name)}/package.json`,
  )
  return runStep({ ...step, run: `${files.join('\n')}\n${step.run}` }, { TAG: tag, DIRECTORIES }, {})
}

test('each package is published, after those that it needs, in one version', () => {
  expect(DIRECTORIES.split(' ')).toEqual(PACKAGES.map(getDirectory))
  const all = PACKAGES.map(name => JSON.parse(readRepositoryFile(`${getDirectory(name)}/package.json`)).version)
  expect(new Set(all)).toEqual(new Set([version]))
})

test('a tag must be the version of each package', () => {
  expect(checked(`v${version}`).code).toBe(0)
  expect(checked(`v${version}1`)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('packages/protocol has version'),
  })
  const wrong = checked(`v${version}`, { core: '9.9.9' })
  expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining('packages/core has version 9.9.9') })
})
