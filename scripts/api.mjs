// node ../../scripts/api.mjs [--check], in a package: writes etc/<entry>.api.md for each public entry, or says which of them is
// not what the entry exports. So a change of the public interface is seen in a review, and never comes by chance.
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Entries to start, and those of Sallyport's own packages: docs/reference/support.md. */
const NOT_PUBLIC = /^\.\/(internal|worker|process)(\/|$)/

const folder = resolve('.')
const place = folder.replaceAll('\\', '/').split('/').slice(-2).join('/')
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const all = Object.entries(manifest.exports).filter(([name, { types }]) => types && !NOT_PUBLIC.test(name))
/** One entry for each file of types: `./script` of frontend has those of its main entry. */
const entries = all.filter(([, { types }], index) => all.findIndex(([, other]) => other.types === types) === index)
const check = process.argv.includes('--check')
const temporary = mkdtempSync(join(tmpdir(), 'sallyport-api-'))
const fileOf = name => `${name === '.' ? 'index' : name.slice(2).replaceAll('/', '-')}.api.md`

function configure([name, { types }], out) {
  const configObject = {
    projectFolder: folder,
    // What core exports of it is public.
    bundledPackages: ['@sallyport/process'],
    mainEntryPointFilePath: resolve(types),
    compiler: { tsconfigFilePath: resolve('tsconfig.json'), skipLibCheck: true },
    apiReport: {
      ...{ enabled: true, reportFolder: out, reportTempFolder: temporary, reportFileName: fileOf(name) },
      // Types that are only parts of others have no name for users, and change the public interface as well.
      includeForgottenExports: true,
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      // Release tags and TSDoc's syntax are not used here.
      extractorMessageReporting: { default: { logLevel: 'none' } },
      tsdocMessageReporting: { default: { logLevel: 'none' } },
      compilerMessageReporting: { default: { logLevel: 'none' } },
    },
  }
  return ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: undefined,
    packageJsonFullPath: resolve('package.json'),
  })
}

/** One program serves all entries: reading the declarations takes longer than the reports. */
function write(configs) {
  const compilerState = CompilerState.create(configs[0], {
    additionalEntryPoints: configs.slice(1).map(config => config.mainEntryPointFilePath),
  })
  for (const config of configs) {
    Extractor.invoke(config, {
      compilerState,
      localBuild: true,
      messageCallback: message => void (message.handled = true),
    })
  }
}

const read = file => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

try {
  const out = check ? join(temporary, 'etc') : resolve('etc')
  mkdirSync(out, { recursive: true })
  if (!check) for (const file of readdirSync(out)) rmSync(join(out, file))
  write(entries.map(entry => configure(entry, out)))
  const wanted = readdirSync(out)
  const kept = check ? readdirSync('etc') : wanted
  const isUndocumented = block => /^export /m.test(block) && block.includes('(undocumented)')
  const undocumented = wanted.filter(file =>
    read(join(out, file))
      .split(/(?:\r?\n){2}/)
      .some(isUndocumented),
  )
  for (const file of undocumented) {
    process.exitCode = 1
    console.error(`${place}/etc/${file} has names without a docstring: search it for "(undocumented)".`)
  }
  const stale = [...new Set([...wanted, ...kept])].filter(file => read(join(out, file)) !== read(join('etc', file)))
  for (const file of stale) {
    process.exitCode = 1
    console.error(
      `${place}/etc/${file} is not what the package exports. If the public interface was meant to change, run\n` +
        '\n    npm run api\n\nand commit what it writes (and a line in CHANGELOG.md).',
    )
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
