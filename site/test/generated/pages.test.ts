// Pages that follow the code name everything that they must name.
import { ERROR_CODES } from '@sallyport/protocol/internal/errors'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { getDirectory, PROGRAMS } from '../../../scripts/packed/pack.mjs'
import { getPages, PUBLISHED, toInstallBoxes } from '../../../scripts/install-boxes.mjs'
import { withCost, withResults } from '../../../scripts/results.mjs'
import { allPages, root } from '../../blocks/markdown.js'

const read = (page: string): string => readFileSync(join(root, page), 'utf8')

describe('install commands', () => {
  const pages = getPages()

  test('are those of the switch in scripts/install-boxes.mjs, which writes them', () => {
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'site/index.md', 'docs/guide/quick-start.md']))
    expect(pages.filter(page => toInstallBoxes(read(page)) !== read(page))).toEqual([])
  })

  test('name packages on npm once they are published, and the clone until then', () => {
    const published = pages.map(page => toInstallBoxes(read(page), true))
    expect(
      published.filter(text =>
        /\.\.\/sallyport\/packages|--prefix|git clone \S+OWNER|not on npm|unpublished/.test(text),
      ),
    ).toEqual([])
    const box = '```sh\nnpm install @sallyport/core\n```\n'
    const clone = '```sh\nnpm --prefix ../sallyport run build\nnpm install ../sallyport/packages/core\n```\n'
    expect(toInstallBoxes(box, false)).toBe(clone)
    const first = clone.replace('npm', 'git clone https://example.com/OWNER/sallyport ../sallyport\nnpm')
    expect(toInstallBoxes(first, false)).toBe(first)
    expect(toInstallBoxes(first, true)).toBe(box)
    const long = '```sh\nnpm install @sallyport/core @sallyport/frontend @sallyport/code-mode\n```\n'
    expect(toInstallBoxes(toInstallBoxes(long, false), true)).toBe(long)
    expect(toInstallBoxes(`<!-- unpublished -->Clone it.<!-- /unpublished -->\n${clone}`, true)).toBe(box)
  })

  test('install each package that the next program of their page imports', () => {
    const missing = pages.flatMap(page => {
      const [before = '', next = ''] =
        /^[^]*?^```sh\n(?:(?!```)[^])*?^npm install [^]*?^```(?:js|ts)\n([^]*?)^```/m.exec(read(page)) ?? []
      const commands = [...before.matchAll(/npm install (?:.*\\\n)*[^`\n]*/g)].join(' ')
      return [...next.matchAll(/ from '(?!node:|@sallyport\/)((?:@[\w-]+\/)?\w[\w-]*)/g)]
        .filter(([, name]) => !commands.includes(` ${name}`))
        .map(([, name]) => `${page}: ${name}`)
    })
    expect(missing).toEqual([])
  })

  test('say on README and quick start that the packages are not on npm, until they are', () => {
    const texts = ['README.md', 'docs/guide/quick-start.md', 'site/index.md'].map(read)
    expect(texts.filter(text => text.includes('unpublished')).length).toBe(PUBLISHED ? 0 : texts.length)
  })
})

test('home page and README have the first tables of the results, with the sandboxes by their options', () => {
  const [home, readme, results] = ['site/index.md', 'README.md', 'docs/internals/results.md'].map(read) as [string, string, string] // prettier-ignore
  expect(withCost(home, results)).toBe(home)
  expect(withResults(readme, results)).toBe(readme)
  const [, block = ''] = /<!-- results -->([\s\S]*)<!-- \/results -->/.exec(results) ?? []
  expect(block).toMatch(/^\s+A 100 B call costs .*'msgpack'.*\n\n\|sandbox\|.*\|\n\|---\|/)
  for (const name of ["'permission'", "'quickjs'", "'process' in a wall"]) expect(block).toMatch(`\n|${name}`)
})

test('each reason of BusError has a section with a cause and a cure', () => {
  const sections = read('docs/reference/error-codes.md')
    .split(/^## /m)
    .filter(section => /^\*Cause:\*/m.test(section) && /^\*Cure:\*/m.test(section))
  expect(sections.map(section => section.split('\n')[0])).toEqual(Object.keys(ERROR_CODES))
})

test('the page on error messages has the texts of all errors: `npm run docs:limits` writes it', () => {
  const script = join(root, 'scripts/errors.mjs')
  expect(() => execFileSync(process.execPath, [script, '--check'])).not.toThrow()
})

test('README shows what the hostile plugin of the page on sandboxes prints', () => {
  const [output = ''] = /^file .*\n(?:\w+ .*\n)+/m.exec(read('docs/guide/choose-a-sandbox.md')) ?? []
  expect(output.split('\n')).toHaveLength(5)
  expect(read('README.md')).toContain(`\`\`\`text\n${output}\`\`\``)
})

test('the page on performance has no table of figures, and links to those of the results', () => {
  const page = read('docs/guide/performance.md')
  expect(page).not.toContain('×')
  const links = [...page.matchAll(/\[([^\]]+)\]\(\.\.\/internals\/results\.md#/g)].map(([, title]) => `## ${title}`)
  expect(links.length).toBeGreaterThan(3)
  const headings = read('docs/internals/results.md').split('\n')
  expect(links.filter(heading => !headings.includes(heading))).toEqual([])
})

/** The members of an interface or class, as the report of the public interface has them. */
function getMembers(name: string): string[] {
  const report = read('packages/core/etc/index.api.md').replaceAll('\r', '')
  const body = new RegExp(`^(?:export )?(?:interface|class) ${name}\\b.*\\{\\n([^]*?)^\\}`, 'm').exec(report)?.[1] ?? ''
  return [...body.matchAll(/^    (?:readonly )?(\w+)[?(<:]/gm)].map(([, member]) => member!)
}

test.each([
  ['BusOptions', 13],
  ['ConnectionOptions', 4],
  ['FrontendOptions', 3],
  ['CallsOptions', 3],
  ['Bus', 16],
  ['FrontendFunctions', 3],
])('the guide has each member of %s', (name, least) => {
  const members = getMembers(name)
  expect(members.length).toBeGreaterThanOrEqual(least)
  const guide = read('docs/reference/options.md')
  const isNamed = (member: string): boolean => new RegExp(`\`(?:[\\w.]+\\.)?${member}\\b`).test(guide)
  expect(members.filter(member => !isNamed(member))).toEqual([])
})

test('the page on NATS has each option that joinBus shares with createBus', () => {
  const source = read('packages/core/src/options/types.ts')
  const options = /RemoteHostOptions extends Pick<\s*BusOptions,\s*([^>]+)>/.exec(source)?.[1]?.match(/\w+/g) ?? []
  expect(options).toContain('frontends')
  const row = read('docs/guide/nats.md')
    .split('\n')
    .find(line => line.startsWith('| `frontends`'))
  expect(options.filter(option => !row?.includes(`\`${option}\``))).toEqual([])
})

test('what checks the whole repository waits until each package has its declarations', () => {
  const { tasks } = JSON.parse(read('turbo.json').replaceAll(/^ *\/\/.*$/gm, '')) as {
    tasks: Record<string, { dependsOn?: string[] }>
  }
  // A build waits for the builds of its package's dependencies.
  const withDependencies = (name: string): string[] => {
    const { dependencies = {} } = JSON.parse(read(`${getDirectory(name)}/package.json`)) as { dependencies?: object }
    const own = Object.keys(dependencies).filter(dependency => dependency.startsWith('@sallyport/'))
    return [name, ...own.flatMap(dependency => withDependencies(dependency.replace('@sallyport/', '')))]
  }
  // `types` reads the sources.
  for (const task of ['//#lint', '//#knip']) {
    const built = tasks[task]!.dependsOn!.flatMap(each =>
      withDependencies(/^@sallyport\/([\w-]+)#build$/.exec(each)![1]!),
    )
    expect([...new Set(built)].toSorted(), task).toEqual(PROGRAMS.toSorted())
  }
})

test('the page on support has each entry that users import', () => {
  const page = read('docs/reference/support.md')
  for (const name of ['core', 'frontend']) {
    const { exports } = JSON.parse(read(`packages/${name}/package.json`)) as { exports: object }
    const line = page.split('\n').find(text => text.startsWith(`- \`@sallyport/${name}\``))
    const entries = Object.keys(exports).filter(entry => !/^\.(\/(internal|worker|process)(\/.*)?)?$/.test(entry))
    expect(line?.match(/`\/[\w-]+`/g)?.toSorted()).toEqual(entries.map(entry => `\`${entry.slice(1)}\``).toSorted())
  }
})

test('each version of Node.js that is supported is tested, from the one that packages ask for', () => {
  const [, row = ''] = /^\| (20 [^|]*) \| supported/m.exec(read('docs/reference/support.md')) ?? []
  const supported = row.replaceAll(/\(.*?\)/g, '').match(/\d+/g)!
  const eachChange = /node: \[(.*)\]/.exec(read('.github/workflows/test.yml'))![1]!.split(', ')
  const eachNight = /nodes: \['node scripts\/nodes\.mjs (.*)'\]/.exec(read('scripts/matrix.mjs'))![1]!.split(' ')
  expect([...new Set([...eachChange, ...eachNight])].toSorted()).toEqual(supported)
  for (const path of ['package.json', ...PROGRAMS.map(name => `${getDirectory(name)}/package.json`)]) {
    const { engines } = JSON.parse(read(path)) as { engines: { node: string } }
    expect(engines.node, path).toBe(`>=${/from ([\d.]+)/.exec(row)![1]}`)
  }
})

test('files and directories that the map names exist', () => {
  const entries = PROGRAMS.flatMap(name =>
    ['src', 'page']
      .map(directory => join(root, getDirectory(name), directory))
      .filter(directory => existsSync(directory))
      .flatMap(directory => [
        `${directory}/`,
        ...readdirSync(directory, { recursive: true, withFileTypes: true }).map(
          entry => `${join(entry.parentPath, entry.name).replaceAll('\\', '/')}${entry.isDirectory() ? '/' : ''}`,
        ),
      ]),
  )
  const page = read('docs/internals/architecture.md')
  const quoted = [...page.matchAll(/`([\w/-]+(?:\.ts|\w\/))`/g)].map(([, name]) => name!)
  const named = quoted.filter(name => !/^(dist|docs|examples|templates|site|scripts|packages|extensions)\//.test(name))
  expect(named.length).toBeGreaterThan(60)
  expect(named.filter(name => !entries.some(entry => entry.endsWith(`/${name}`)))).toEqual([])
})

test('docstrings and errors name pages by their titles, because the packages do not include the pages', () => {
  const isDeclaration = (path: string): boolean => /^dist\/(?!bundle\/).*\.d\.ts$/.test(path)
  const isSource = (path: string): boolean => /^src\/(?!.*\.test).*\.ts$/.test(path)
  const files = PROGRAMS.flatMap(name =>
    ['src', 'dist']
      .flatMap(directory =>
        readdirSync(join(root, getDirectory(name), directory), { recursive: true, encoding: 'utf8' }).map(
          path => `${directory}/${path.replaceAll('\\', '/')}`,
        ),
      )
      .filter(path => isDeclaration(path) || isSource(path))
      .map(path => ({ path, text: read(`${getDirectory(name)}/${path}`) })),
  )
  expect(
    files.filter(({ path, text }) => isDeclaration(path) && text.includes('docs/')).map(({ path }) => path),
  ).toEqual([])
  const titles = allPages().map(({ text }) => /^# ([^:\n]+)/m.exec(text)?.[1])
  const named = files.flatMap(({ text }) =>
    [...text.matchAll(/the page "([^"]+)" of the\s+(?:\* )?documentation/g)].map(([, title]) => title),
  )
  expect(named).toContain('Reliability')
  expect(named.filter(title => !titles.includes(title))).toEqual([])
})

test('each source file that a decision names exists', () => {
  const decisions = allPages().filter(({ page }) => page.startsWith('docs/adr/'))
  const file = /`(?:packages\/|extensions\/)?([\w-]+)(\/(?:src|test)\/[\w./-]+)`/g
  const named = decisions.flatMap(({ page, text }) =>
    [...text.matchAll(file)].map(([, name, path]) => ({ page, path: getDirectory(name!) + path })),
  )
  expect(named.length).toBeGreaterThan(1)
  expect(named.filter(({ path }) => !existsSync(join(root, path)))).toEqual([])
})
