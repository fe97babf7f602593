import { expect, test } from 'vitest'
import { describeOs, getLocale, getOsScript, type OsEnvironment } from './os.js'
import { rows } from '../../../scripts/testing.js'

const unreadable = (): never => {
  throw new Error('ENOENT')
}
const linux: OsEnvironment = { platform: 'linux', arch: 'x64', eol: '\n', release: '6.1.0', read: unreadable }

test('Linux has the version of its distribution, or that of the kernel', () => {
  expect(describeOs({ ...linux, read: () => 'NAME="Ubuntu"\nVERSION_ID="22.04"\n' })).toEqual({
    ...{
      eol: '\n',
      os_type: 'linux',
      platform: 'linux',
      family: 'unix',
      version: '22.04',
      arch: 'x86_64',
      exe_extension: '',
    },
  })
  expect(describeOs({ ...linux, read: () => 'VERSION_ID=12\n' }).version).toBe('12')
  expect(describeOs(linux).version).toBe('6.1.0')
})

test('macOS has the version of the product', () => {
  const plist = '<dict><key>ProductVersion</key>\n\t<string>14.5</string></dict>'
  expect(
    describeOs({ ...linux, platform: 'darwin', arch: 'arm64', release: '23.5.0', read: () => plist }),
  ).toMatchObject({
    ...{ os_type: 'macos', platform: 'macos', family: 'unix', version: '14.5', arch: 'aarch64' },
  })
})

test('Windows has its own release', () => {
  expect(describeOs({ ...linux, platform: 'win32', eol: '\r\n', release: '10.0.22631' })).toMatchObject({
    ...{
      os_type: 'windows',
      platform: 'windows',
      family: 'windows',
      version: '10.0.22631',
      exe_extension: 'exe',
      eol: '\r\n',
    },
  })
})

test('the locale is that of the environment, or none', () =>
  rows([
    [{ LANG: 'de_CH.UTF-8' }, 'de-CH'],
    [{ LC_ALL: 'fr_FR@euro', LANG: 'de_DE' }, 'fr-FR'],
    [{ LC_ALL: '', LANG: 'sr_RS@latin' }, 'sr-RS'],
    [{ LANG: 'C' }, null],
    [{ LANG: 'C.UTF-8' }, null],
    [{ LANG: 'no locale' }, null],
    [{}, null],
  ])((env, locale) => {
    expect(getLocale('linux', env)).toBe(locale)
  }))

test('the script of a page cannot end its element', () => {
  expect(getOsScript(describeOs({ ...linux, release: '</script>' }))).not.toContain('</script>')
})
