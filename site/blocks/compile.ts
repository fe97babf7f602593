// Type-checks all JavaScript and TypeScript of the pages at once. A mistake is told by the line of its page:
// `docs/reference/options.md:123:5`.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './markdown.js'
import { blocksFolder, write } from './write.js'

const HOOK_OR_JSDOM = 'declare var window: any\n'

/** Values of unknown type are told apart in TypeScript; whoever writes JavaScript knows what a command gives. */
const OF_UNKNOWN =
  /TS(18046|2571)|on type '(unknown|never|\{\})'|'(unknown|never)' is not assignable|type 'unknown' is not/

/** What TypeScript says of everything that was written, as `docs/reference/options.md:123:5 … ` */
export function compile(): string[] {
  const folder = blocksFolder('compile')
  const compilerOptions = {
    composite: false,
    declaration: false,
    declarationMap: false,
    isolatedDeclarations: false,
    noEmit: true,
    allowJs: true,
    checkJs: true,
    allowImportingTsExtensions: true,
    moduleDetection: 'force',
    exactOptionalPropertyTypes: false,
    noUncheckedIndexedAccess: false,
  }
  write(join(folder, 'globals.d.ts'), HOOK_OR_JSDOM)
  const mistakes = ['js', 'ts'].map(language => {
    const config = join(folder, `tsconfig.${language}.json`)
    const include =
      language === 'ts' ? ['**/*.ts', '**/*.mts'] : ['**/*.js', '**/*.mjs', '**/*.d.ts', '../../blocks/*.d.ts']
    // What TypeScript imports of JavaScript is checked as JavaScript, by the other run.
    const loose = language === 'ts' ? { checkJs: false } : { noImplicitAny: false, useUnknownInCatchVariables: false }
    const options = { ...compilerOptions, ...loose }
    write(config, JSON.stringify({ extends: '../../../tsconfig.base.json', compilerOptions: options, include }))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const args = [tsc, '-p', config, '--pretty', 'false']
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    const said = (stdout + stderr).split(/\n(?! )/).filter(Boolean)
    return said.filter(text => language === 'ts' || !OF_UNKNOWN.test(text))
  })
  return [...new Set(mistakes.flat())].map(text =>
    text.replace(/^(.+\.md)\/\d+\/(?:block-\d+\.[jt]s|(.+))\((\d+),(\d+)\): error/, '$1:$3:$4 $2'),
  )
}
