// Type-checks every public entry of the packages with strict options, and all declarations that it needs.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { PACKAGES } from '../../../scripts/packed/pack.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))
/** Entries of threads, or for Sallyport's own packages: docs/reference/support.md. */
const NOT_PUBLIC = /^\.\/(internal|worker|process)(\/|$)/

/** @returns `@sallyport/core/otel` and the like, of the packages that are installed in the directory */
async function publicEntries(directory: string): Promise<string[]> {
  const ofPackages = PACKAGES.map(async name => {
    const file = join(directory, 'node_modules/@sallyport', name, 'package.json')
    const { exports } = JSON.parse(await readFile(file, 'utf8')) as { exports: Record<string, { types?: string }> }
    const entries = Object.entries(exports).filter(([entry, { types }]) => types && !NOT_PUBLIC.test(entry))
    return entries.map(([entry]) => `@sallyport/${name}${entry.slice(1)}`)
  })
  return (await Promise.all(ofPackages)).flat()
}

/** Links a package that a TypeScript program installs in addition, in the place of another version. */
async function link(directory: string, name: string, from: string): Promise<void> {
  const place = join(directory, 'node_modules', name)
  await rm(place, { force: true })
  await mkdir(dirname(place), { recursive: true })
  await symlink(await realpath(join(from, 'node_modules', name)), place, 'junction')
}

/** Installs a version of a package into a directory of its own, which it returns. */
async function install(directory: string, name: string, version: string): Promise<string> {
  const place = join(directory, `${name.replace('/', '-')}-${version}`)
  await mkdir(place, { recursive: true })
  await writeFile(join(place, 'package.json'), '{}')
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', `${name}@${version}`]
  await promisify(execFile)('npm', args, { cwd: place, shell: process.platform === 'win32' })
  return place
}

/**
 * @param nodeTypes a version of `@types/node`. By default that of this repository
 * @param more options of the compiler
 * @returns the errors of `tsc`, and the files of valibot that it needed
 */
export async function findTypeMistakes(
  directory: string,
  moduleResolution: string,
  nodeTypes?: string,
  more: object = {},
): Promise<string> {
  const place = join(directory, `types-${moduleResolution}`)
  await cp(fileURLToPath(new URL('consumer', import.meta.url)), place, { recursive: true })
  await link(
    directory,
    '@types/node',
    nodeTypes === undefined ? root : await install(directory, '@types/node', nodeTypes),
  )
  await link(directory, '@opentelemetry/api', join(root, 'packages/core'))
  const entries = await publicEntries(directory)
  const imports = entries.map((entry, n) => `export * as entry${n} from '${entry}'\n`)
  await writeFile(join(place, 'entries.ts'), imports.join(''))
  const compilerOptions = {
    strict: true,
    // Inferred types must have names in declarations, without files inside of the packages.
    declaration: true,
    skipLibCheck: false,
    module: moduleResolution === 'bundler' ? 'esnext' : moduleResolution,
    moduleResolution,
    target: 'es2023',
    types: ['node'],
    emitDeclarationOnly: true,
    outDir: 'out',
    ...more,
  }
  await writeFile(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  await writeFile(join(place, 'package.json'), '{ "type": "module" }')
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', place, '--pretty', 'false', '--listFiles']
  // The exit code is not 0 if there are errors. They are in the output, between the paths of the files that were read.
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 }).catch(
    (error: { stdout: string }) => error,
  )
  if (!stdout.includes('/entries.ts')) throw new Error(`tsc did not read the entries: ${stdout}`)
  // Only the benchmark depends on valibot. The other packages must not need it.
  const mistakes = stdout.split('\n').filter(line => !existsSync(line) || line.includes('/node_modules/valibot/'))
  // pnpm does not give a program what it does not depend on itself: `import("@sallyport/protocol/internal/message").TransferOptions`
  const declared = await readFile(join(place, 'out/exported.d.ts'), 'utf8')
  const ofFrontends = declared.match(/^export declare const (main|anyFrontend):[^]*?;$/gm) ?? []
  if (ofFrontends.length < 2) throw new Error(`tsc did not declare the frontends: ${declared}`)
  return [...mistakes, ...ofFrontends.filter(text => text.includes('@sallyport/protocol'))].join('\n').trim()
}

/**
 * Compiles the programs of the docs as a user does who has all strict options.
 *
 * @param typescript a version of the compiler
 * @returns the errors
 */
export async function findProgramMistakes(
  directory: string,
  typescript: string,
  moduleResolution: string,
): Promise<string> {
  const place = join(directory, 'strict')
  await cp(fileURLToPath(new URL('programs', import.meta.url)), place, { recursive: true })
  await link(directory, '@types/node', root)
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    // Declarations of others are not that strict.
    skipLibCheck: true,
    module: moduleResolution === 'bundler' ? 'esnext' : moduleResolution,
    moduleResolution,
    target: 'es2022',
    types: ['node'],
    outDir: 'out',
    rootDir: '.',
    ...(typescript !== '5.4' && { declaration: true, isolatedDeclarations: true }),
  }
  const tsconfig = { compilerOptions, files: ['readme', 'quick-start', 'plugin-host'].map(name => `${name}.ts`) }
  await writeFile(join(place, 'tsconfig.json'), JSON.stringify(tsconfig))
  await writeFile(join(place, 'package.json'), '{ "type": "module" }')
  const compiler = await install(directory, 'typescript', typescript)
  const tsc = join(compiler, 'node_modules/typescript/bin/tsc')
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', place, '--pretty', 'false']).catch(
    (error: { stdout: string }) => error,
  )
  return stdout.trim()
}
