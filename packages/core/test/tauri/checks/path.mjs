// Checks of @tauri-apps/api/path: each function reaches its command. The commands have tests of their results.
import { deepEqual, equal, ok } from 'node:assert/strict'
import path from 'node:path'
import * as api from '@tauri-apps/api/path'

export const checks = {
  separators: async () => {
    equal(api.sep(), path.sep)
    equal(api.delimiter(), path.delimiter)
  },

  'commands on paths': async () => {
    equal(await api.join('a', '..', 'b', 'c.txt'), path.join('b', 'c.txt'))
    equal(await api.normalize(`a${path.sep}.${path.sep}b`), path.join('a', 'b'))
    equal(await api.basename('/a/b.txt'), 'b.txt')
    equal(await api.basename('/a/b.txt', '.txt'), 'b')
    equal(await api.dirname('/a/b.txt'), '/a')
    equal(await api.extname('/a/b.txt'), 'txt')
    deepEqual([await api.isAbsolute(path.resolve('a')), await api.isAbsolute('a')], [true, false])
    ok(path.isAbsolute(await api.resolve('a', 'b')))
  },

  directories: async () => {
    for (const directory of [api.appDataDir, api.appConfigDir, api.appLocalDataDir, api.appCacheDir, api.appLogDir]) {
      ok((await directory()).includes('org.example.checks'))
    }
    ok(path.isAbsolute(await api.homeDir()))
    ok(path.isAbsolute(await api.tempDir()))
  },
}
