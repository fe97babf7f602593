// README's first program, read as TypeScript: it compiles under `strict` without a change.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { allPages, getBlocks, root } from '../blocks/markdown.js'
import { getPrograms } from '../blocks/programs.js'
import { write } from '../blocks/write.js'

test("README's example compiles in strict TypeScript", { timeout: 60_000 }, () => {
  const { page, text } = allPages().find(({ page: name }) => name === 'README.md')!
  const [program] = getPrograms(page, getBlocks(page, text))
  const directory = join(root, 'site/.blocks/strict')
  const names = [...program!.files.keys()].filter(name => name.endsWith('.mjs'))
  expect(names).toEqual(['plugin.mjs', 'app.mjs'])
  try {
    for (const name of names) write(join(directory, name.replace('.mjs', '.mts')), program!.files.get(name)!.code)
    const compilerOptions = { strict: true, noEmit: true, target: 'es2023', module: 'nodenext', types: ['node'] }
    write(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', directory, '--pretty', 'false'], { encoding: 'utf8' })
    expect(stdout).toBe('')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
