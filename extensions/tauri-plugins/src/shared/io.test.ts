import { createIoError } from '@sallyport/paths/internal'
import { expect, test } from 'vitest'
import { toIoText } from './io.js'
import { rows } from '../../../../scripts/testing.js'

test('errors have the texts of Rust on each platform', () =>
  rows([
    [
      'ENOENT',
      'No such file or directory (os error 2)',
      'No such file or directory (os error 2)',
      'The system cannot find the file specified. (os error 2)',
    ],
    ['EACCES', 'Permission denied (os error 13)', 'Permission denied (os error 13)', 'Access is denied. (os error 5)'],
    [
      'EEXIST',
      'File exists (os error 17)',
      'File exists (os error 17)',
      'Cannot create a file when that file already exists. (os error 183)',
    ],
    [
      'ENOTEMPTY',
      'Directory not empty (os error 39)',
      'Directory not empty (os error 66)',
      'The directory is not empty. (os error 145)',
    ],
    [
      'ELOOP',
      'Too many levels of symbolic links (os error 40)',
      'Too many levels of symbolic links (os error 62)',
      'The name of the file cannot be resolved by the system. (os error 1921)',
    ],
    [
      'EINVAL',
      'Invalid argument (os error 22)',
      'Invalid argument (os error 22)',
      'The parameter is incorrect. (os error 87)',
    ],
    ['EUNKNOWN', 'EUNKNOWN', 'EUNKNOWN', 'EUNKNOWN'],
    ['constructor', 'constructor', 'constructor', 'constructor'],
  ])((code, linux, darwin, win32) => {
    const texts = (['linux', 'darwin', 'win32'] as const).map(platform => toIoText(createIoError(code), platform))
    expect(texts).toEqual([linux, darwin, win32])
  }))
