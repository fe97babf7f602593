// What each file of tests runs first in a copy with mutants: notes which of them the file reaches, in all threads of its process. What only other processes
// run counts as not reached.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setEnvironmentData } from 'node:worker_threads'
import { afterAll, expect } from 'vitest'

const { SALLYPORT_HITS: folder } = process.env
if (folder) {
  const hits = new Uint8Array(new SharedArrayBuffer(100_000))
  setEnvironmentData('mutants', hits)
  afterAll(() => {
    const { testPath } = expect.getState()
    const reached = [...hits.keys()].filter(key => hits[key])
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${testPath.replaceAll('/', '+')}.json`), JSON.stringify({ testPath, reached }))
  })
}
