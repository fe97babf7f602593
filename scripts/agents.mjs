// node scripts/agents.mjs: writes docs/README.md, and AGENTS.md and llms.txt of @sallyport/core from the docs, for the coding agents of users. A
// package has no docs/, so the recipes are sections of pages, without their links.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const read = path => readFileSync(new URL(path, root), 'utf8')

/** Sections of pages, by their headings. Recipes that begin with a core come first, as `site/` runs them as the programs of one page. */
const RECIPES = [
  ['quick-start', 'Call a function'],
  ['quick-start', 'Run code that you trust less'],
  ['streams-and-cancellation', 'Cancel a call'],
  ['streams-and-cancellation', 'Stream a file with progress'],
  ['permissions', 'Limit a plugin'],
  ['scripts', 'Run code once'],
  ['plugins', 'Let a plugin write files'],
  ['commands', 'Validate arguments'],
  ['commands', 'Call a frontend'],
  ['development', 'Test with fakes'],
]

/** Without links, which lead nowhere in a package, and without comments but those by which `site/` tests the code. */
const toPlain = text =>
  text
    .replaceAll(/<!-- (?!given:|within:)[^]*?-->\n*/g, '')
    .replaceAll(/!?\[((?:[^\][]|\[[^\]]*\])*)\]\([^)]*\)/g, '$1')
    .trim()

function getSection(page, heading) {
  const text = read(`docs/guide/${page}.md`)
  const start = text.indexOf(`\n## ${heading}\n`)
  if (start < 0)
    throw new Error(`docs/guide/${page}.md has no heading '${heading}': adapt RECIPES in scripts/agents.mjs`)
  const end = text.indexOf('\n## ', start + 1)
  return toPlain(text.slice(start, end < 0 ? undefined : end))
}

/** Entries of core and frontend, and the first sentence about each of the other packages. */
function getEntries() {
  const listed = ['core', 'frontend'].flatMap(name => {
    const [, rows] = /^\| entry \|.*\n\|.*\n([^]*?)(?=\n\n)/m.exec(read(`packages/${name}/README.md`))
    return rows.replaceAll('| `/', `| \`@sallyport/${name}/`)
  })
  const others = ['plugin-host', 'code-mode', 'mcp', 'tauri-plugins', 'web'].map(name => {
    const [, text] = toPlain(read(`extensions/${name}/README.md`)).split('\n\n')
    return `| \`@sallyport/${name}\` | ${/^[^]*?[.:](?=\s)/.exec(`${text.replaceAll('\n', ' ')} `)[0].slice(0, -1)} |`
  })
  return ['| entry | for |', '|---|---|', ...listed, ...others].join('\n')
}

export const getAgents = () => `# Sallyport for coding agents

Made from the docs by \`scripts/agents.mjs\`. Sallyport runs plugins, user scripts and tools of agents in sandboxes within a Node.js program, and lets each call
only what it may. Words: the *core* has the commands, a *frontend* is a plugin, the *host* is your program, the *bus* connects them.

- Node.js 20.19 or later, and ES modules only: \`import\`, never \`require\`.
- The host imports \`@sallyport/core\`. A plugin imports \`@sallyport/frontend\`, and nothing else of Sallyport.
- \`invoke\` of \`@sallyport/frontend\` is for plugins. The host calls a command with \`(await bus.connect('me')).invoke(name, args)\`, and a function
  of a plugin with \`bus.call(label, name, args)\`. A plugin offers functions with \`expose\`, not with \`export\`.
- \`sandbox\` is \`'permission'\` (the default), \`'process'\`, \`'quickjs'\` or \`'none'\`. Third-party code needs \`'process'\` or \`'quickjs'\`.
- Modules are URLs or absolute paths: \`new URL('./plugin.mjs', import.meta.url)\`.
- Everything is denied by default: name the commands of a plugin in its \`allow\`.
- A command takes one object of named arguments: \`invoke('greet', { name: 'World' })\`.
- Await each call, and close the bus at the end: \`await bus.close()\`.
- The message of an error names its remedy. \`error.reason\` is a word for programs, such as \`Denied\`.

## What to import

${getEntries()}

${RECIPES.map(recipe => getSection(...recipe)).join('\n\n')}
`

const getTitle = page => /^# (.*)/.exec(read(page))[1]

/** The heading of a page, and the first sentence below it. */
function describe(page, toTitle) {
  const [heading, ...paragraphs] = toPlain(read(page)).split('\n\n')
  const prose = paragraphs.find(text => /^(?:[A-Z*]|`(?!``))/.test(text)) ?? ''
  const [sentence] = /^[^]*?[.:](?=\s|$)/.exec(prose.replaceAll('\n', ' ')) ?? ['']
  const title = `- ${toTitle(heading.replace('# ', ''), page)}`
  return sentence === '' ? title : `${title}: ${sentence.replace(/:$/, '.')}`
}

const getPages = directory =>
  readdirSync(new URL(`docs/${directory}/`, root))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${directory}/${name}`)

const list = (directory, toTitle = (title, page) => `${title} (${page})`) =>
  getPages(directory)
    .map(page => describe(page, toTitle))
    .join('\n')

const toLink = (title, page) => `[${title}](${page.replace('docs/', '')})`

export const getIndex = () => `# Sallyport

> Run plugins, user scripts and AI-agent tools inside a Node.js program, and decide exactly which functions they can call.

The recipes are in AGENTS.md, next to this file. The pages below are in the repository of Sallyport.

## Guide

${list('guide')}

## Reference

${list('reference')}
`

export const getContents = () => `# Documentation

Begin with the [quick start](guide/quick-start.md), [concepts](guide/concepts.md) and [which sandbox to take](guide/choose-a-sandbox.md). [Decisions](adr) say why. This list is generated:
\`npm run docs:agents\`.

## Guide

${list('guide', toLink)}

## Reference

${list('reference', toLink)}

## Internals

${getPages('internals')
  .map(page => `- ${toLink(getTitle(page), page)}`)
  .join('\n')}
`

const files = {
  'packages/core/AGENTS.md': getAgents,
  'packages/core/llms.txt': getIndex,
  'docs/README.md': getContents,
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, create] of Object.entries(files)) writeFileSync(new URL(path, root), create())
}
