// A host can run under Node's permission model itself, which denies it `/proc`.
import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const FLAG = '--permission'
const flag = process.allowedNodeEnvironmentFlags.has(FLAG) ? FLAG : '--experimental-permission'
const directory = realpathSync(fileURLToPath(new URL('..', import.meta.url)))
const protocol = realpathSync(fileURLToPath(new URL('../..', import.meta.resolve('@sallyport/protocol/internal/util'))))

test('a host that cannot read /proc opens files, and compares their paths instead', () => {
  const program = `
    const { hasDescriptors, openToRead } = await import(${JSON.stringify(import.meta.resolve('@sallyport/paths/internal'))})
    const { handle } = await openToRead(${JSON.stringify(`${directory}/package.json`)})
    console.log(hasDescriptors, JSON.parse(await handle.readFile('utf8')).name)
    await handle.close()`
  const read = [directory, protocol].map(each => `--allow-fs-read=${each}/*`)
  const options = [flag, ...read, '--no-warnings', '--input-type=module', '--eval', program]
  expect(execFileSync(process.execPath, options, { encoding: 'utf8' })).toBe('false @sallyport/paths\n')
})
