// Type-checks all JavaScript and TypeScript of the pages together. A mistake is reported with the line of its page:
// `docs/reference/options.md:123:5`.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './markdown.js'
import { getBlocksDirectory, write } from './write.js'

const HOOK_OR_JSDOM = 'declare var window: any\n'

/** Errors about values of unknown type are ignored in JavaScript, whose authors know what a command returns. */
const OF_UNKNOWN =
  /TS(18046|2571)|on type '(unknown|never|\{\})'|'(unknown|never)' is not assignable|type 'unknown' is not/

/** Returns the errors of TypeScript, as `docs/reference/options.md:123:5 … ` */
export function compile(): string[] {
  const directory = getBlocksDirectory('compile')
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
  write(join(directory, 'globals.d.ts'), HOOK_OR_JSDOM)
  const mistakes = ['js', 'ts'].map(language => {
    const config = join(directory, `tsconfig.${language}.json`)
    const include =
      language === 'ts' ? ['**/*.ts', '**/*.mts'] : ['**/*.js', '**/*.mjs', '**/*.d.ts', '../../blocks/*.d.ts']
    // The other run checks JavaScript that TypeScript imports.
    const loose = language === 'ts' ? { checkJs: false } : { noImplicitAny: false, useUnknownInCatchVariables: false }
    const options = { ...compilerOptions, ...loose }
    write(config, JSON.stringify({ extends: '../../../tsconfig.base.json', compilerOptions: options, include }))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const args = [tsc, '-p', config, '--pretty', 'false']
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
    const errors = (stdout + stderr).split(/\n(?! )/).filter(Boolean)
    return errors.filter(text => language === 'ts' || !OF_UNKNOWN.test(text))
  })
  return [...new Set(mistakes.flat())].map(text =>
    text.replace(/^(.+\.md)\/\d+\/(?:block-\d+\.[jt]s|(.+))\((\d+),(\d+)\): error/, '$1:$3:$4 $2'),
  )
}
