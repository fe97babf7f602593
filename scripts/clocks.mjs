// The section "Clocks" of docs/internals/machines.md, which `machines.mjs` writes: each call of a helper of protocol/src/util/timers.ts, and each
// timer that the lint rule `no-own-timers` lets pass at its line, with its words from `clock-rows.mjs`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { parseSync, Visitor } from 'rolldown/utils'
import { ROWS } from './clock-rows.mjs'

const root = new URL('../', import.meta.url)
const HELPERS = 'packages/protocol/src/util/timers.ts'
/** What each function of that file is. `undefined`: it starts no timer. */
const KINDS = {
  ...{ deadline: 'deadline', within: 'deadline', withDeadline: 'deadline' },
  patience: 'question',
  ...{ silence: 'silence' },
  ...{ later: 'work', every: 'work', pause: 'work' },
  countTurns: undefined,
}
const RAW = /^set(?:Timeout|Interval)$/
/** Programs that measure, and what is no clock: as in .oxlintrc.json. */
const LEFT_OUT =
  /\.test(?:-d)?\.ts$|^(?:packages\/(?:bench|measure)|extensions\/compare)\/|platform\.browser\.ts$|quickjs\/src\/(?:inside\/|script-host\/services)/
const TABLES = {
  deadline:
    'A user has set it, or the docs name it. When it is late because its thread was busy, that thread first reads what has arrived.',
  question: 'Asks whether somebody still runs, and then waits again, or for the one who knows its end.',
  silence:
    'Counts only time in which the one that is waited for could run: turns of the loop that waits, CPU time of a thread or process, or a counter beside it. Whoever was suspended or held up has had one turn.',
}
const HEAD = '| where | waits for | on the thread of | when it is over |\n|---|---|---|---|'

const read = file => readFileSync(new URL(file, root), 'utf8')
const parse = (file, text) => parseSync(file, text).program
const toKey = (name, text) => `${name}(${text.replaceAll(/\s+/g, ' ')})`

/** Returns the calls of a file that start a timer, as `helper(milliseconds)`. */
function findCalls(file) {
  const text = read(file)
  const names = new Map()
  const calls = new Map()
  const textOf = node => text.slice(node.start, node.end)
  new Visitor({
    ImportSpecifier({ imported, local }) {
      if (KINDS[imported.name]) names.set(local.name, imported.name)
    },
    CallExpression({ callee, arguments: args }) {
      const name = names.get(callee.name)
      if (name) calls.set(toKey(name, textOf(args[name === 'patience' ? 1 : 0])), name)
      const raw = callee.type === 'MemberExpression' ? callee.property.name : callee.name
      if (RAW.test(raw) && args.length > 0) calls.set(toKey(raw, textOf(args.at(-1))), raw)
    },
  }).visit(parse(file, text))
  return calls
}

function checkKinds() {
  const exported = parse(HELPERS, read(HELPERS)).body.flatMap(({ type, declaration }) => {
    if (type !== 'ExportNamedDeclaration') return []
    if (declaration.type === 'FunctionDeclaration') return [declaration.id.name]
    const functions = (declaration.declarations ?? []).filter(({ init }) => init.type === 'ArrowFunctionExpression')
    return functions.map(({ id }) => id.name)
  })
  const unknown = exported.filter(name => !(name in KINDS))
  return unknown.map(name => `scripts/clocks.mjs: add "${name}" of ${HELPERS} to KINDS: which of the kinds is it?`)
}

const toPlace = (file, key) => {
  const [, name, argument] = /^(\w+)\((.*)\)$/s.exec(key)
  const isName = /^[\w.#]+$/.test(argument) && !/^\d/.test(argument)
  const constant = isName ? ` \`${argument.replace(/^.*[.#]/, '')}\`` : ''
  return `\`${file.replace(/^\w+\//, '').replace('/src/', '/')}\`${constant || ` (\`${name}\`)`}`
}

/** Returns the section. @throws {Error} if a timer has no row, or a row no timer */
export function toClocks() {
  const problems = checkKinds()
  const rows = { deadline: [], question: [], silence: [], work: [] }
  const list = (folder, options) => readdirSync(new URL(folder, root), options)
  const files = ['packages', 'extensions']
    .flatMap(folder => list(`${folder}/`).map(name => `${folder}/${name}/src`))
    .filter(folder => existsSync(new URL(folder, root)))
    .flatMap(folder =>
      list(folder, { recursive: true })
        .toSorted()
        .map(file => `${folder}/${file}`),
    )
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => file.endsWith('.ts') && !LEFT_OUT.test(file) && file !== HELPERS)
  for (const file of files) {
    const words = { ...ROWS[file] }
    for (const [key, name] of findCalls(file)) {
      const text = words[key]
      delete words[key]
      const [, own, cells = ''] = /^(?:(deadline|question|silence): )?(.*)$/s.exec(text ?? '')
      const kind = own ?? KINDS[name] ?? 'work'
      const place = toPlace(file, key)
      if (text === undefined)
        problems.push(`scripts/clock-rows.mjs: add '${key}' to '${file}': its words, as at the head of that file`)
      else if (kind === 'work') rows.work.push(`- ${place}: ${cells}`)
      else if (cells.split(' | ').length !== 3)
        problems.push(
          `scripts/clock-rows.mjs: '${key}' of '${file}' needs 'waits for | on the thread of | when it is over'`,
        )
      else rows[kind].push(`| ${place} | ${cells} |`)
    }
    for (const key of Object.keys(words))
      problems.push(`scripts/clock-rows.mjs: remove '${key}' of '${file}', which has no such timer`)
  }
  for (const file of Object.keys(ROWS).filter(each => !files.includes(each)))
    problems.push(`scripts/clock-rows.mjs: remove '${file}', which is no source`)
  if (problems.length > 0) throw new Error(problems.join('\n'))
  const names = { deadline: 'A deadline', question: 'A question', silence: 'No sign of life' }
  const tables = Object.entries(TABLES).map(
    ([kind, text]) => `### ${names[kind]}\n\n${text}\n\n${[HEAD, ...rows[kind]].join('\n')}\n`,
  )
  return `## Clocks

Every timer is a call of \`protocol/src/util/timers.ts\`. Three kinds wait for somebody else, and there is no fourth. The words are in \`scripts/clock-rows.mjs\`.

${tables.join('\n')}
### Work that begins later

It waits for nobody.

${rows.work.join('\n')}
`
}
