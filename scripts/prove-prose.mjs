// node scripts/prove-prose.mjs [path …]: reports words, sentences and names that the rules of writing
// exclude, in comments, string literals, titles of tests, declared names and file names, and in Markdown.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'rolldown/utils'

/** Files that are checked: sources, tests and their helpers, and Markdown. */
const TARGETS = [
  /^packages\/[^/]+\/(src|page|test)\/.*\.m?[jt]s$/,
  /^(examples|templates)\/.*(\/test\/.*\.m?[jt]s|\.test\.[jt]s)$/,
  /^site\/(test|blocks)\/.*\.ts$/,
  /^(?!docs\/internals\/results\.md|site\/api\/|.*\/etc\/).*\.md$/,
]
const isTarget = path => TARGETS.some(target => target.test(path))
/** Lines of output; further findings are only counted. */
const MAX_LINES = 40

const SUBJECT = '(it|they|that|this|these|those|which|one|you|we)'
const PLACED = '(stands?|lies?|lives?|runs?|begins?|starts?|ends?|ended|belongs?|go(es)?|came|comes|looks?|finds?)'
const INDEFINITE = '(there|some\\w+|any\\w+|nobody|none|no|nothing|neither|not|all|both)'
const WHERE_CLAUSE = RegExp(`\\bwhere (${INDEFINITE}\\b|${SUBJECT}\\b(?! ${PLACED}\\b))`, 'i')
const WHERE_FIRST = RegExp(`^where (?!to\\b|in\\b|(\\S+ ){1,2}(is|are|${PLACED})\\b)[^,:]*,`, 'i')
const WHERE_AFTER = /(@throws.*|_|\b(true|false|undefined|null|empty|also|even|only|except|but)),? where (?!to\b)\w/i
const TELL = /(?<!can(no|['’])?t )\b(tells?|telling|told)\b(?! (\S+ ){0,3}(apart|from)\b)/i
const IS_NO =
  /(?<!\bthere )\b(is|are|was|were) no\b(?! (longer|more|less|fewer|better|worse|need|use|reason|guarantee)\b)/i
const TURN = /\b(a|the|this|that|next|later|same|one|each|every|loop['’]s) turns?\b(?! (in)?to\b)/i

// A row of a table: the rule's name, pattern and remedy, a sample that must be found, a sample that must pass.

/** Sentences of comments, test titles and Markdown, and of string literals if they begin with a capital. Questions pass. */
const SENTENCES = [
  ['begins Of', /^of\b/i, 'the noun first', 'of the link that it has.', 'Offers of the link.'],
  ['begins As', /^as\b/i, 'the main clause first', 'Done. As in Tauri.', 'Done as in Tauri.'],
  ['begins What', /^what\b/i, 'a noun', 'What is late is dropped.', 'Drops it. What if it is late?'],
  ['begins Who', /^who(ever|se)?\b/i, 'the caller, the host', 'Whoever calls.', 'Whole messages only.'],
  ['begins Likewise', /^likewise\b/i, 'the statement itself', 'Likewise for gates.', 'Opens gates likewise.'],
  ['begins The same', /^the same\b/i, 'the statement itself', 'The same for ports.', 'Opens the same port.'],
  ['begins And', /^and\b/i, 'one sentence, or two', 'Ends. And starts.', 'Ends and starts.'],
  ['begins That', /^that\b/i, 'a noun', 'That ends it.', 'Thatch that ends.'],
  ['begins Where', WHERE_FIRST, 'if, when, unless', 'Where hooks throw, it ends.', 'Where it begins, and when.'],
  ['begins Gives', /^gives?\b/i, 'Returns', 'Gives a beat.', 'Returns a given beat.'],
  ['long sentence', /^(?:[^\s:;|]+\s+){25}\S/, 'at most 25 words', `${'so '.repeat(25)}on.`, `${'so '.repeat(24)}on.`],
]

/** Sentences as above, other string literals, and names split into words. */
const PHRASES = [
  ['where', WHERE_CLAUSE, 'if, when, unless', 'Closes where it is open.', 'Shows where it ends.'],
  ['where after', WHERE_AFTER, 'if, when, unless', 'False where core is gone.', 'Shows the line where core ends.'],
  ['is none', /\b(is|are|was|were|be) none\b/i, 'invalid X, no X', 'a frame that is none', 'a table that has none'],
  ['is no', IS_NO, 'invalid X, not an X', 'x is no label', 'there is no label, it is no longer used'],
  ['honest one', /\bno honest\b|\bhonest one/i, 'protocol violation', 'as no honest one sends', 'an honest peer'],
  ['tell', TELL, 'emit, report, notify, log', 'is told of it', "tells them apart, can't tell"],
  ['hear of', /\b(hears?|heard|hearing) (of|from)\b/i, 'receive, observe', 'hears of it', 'hears it'],
  ['gives what', /\bg[ai]ves? (what|back)\b/i, 'returns', 'it gives back what ends it', 'it gives a name'],
  ['mend', /\bmend(s|ed|ing)?\b/i, 'fix', 'is mended', 'amends'],
  ['start again', /\bstart(s|ed|ing)? again\b/i, 'restart', 'is started again', 'restarts'],
  ['under way', /\bunder way\b|\bon (its|their) way\b/i, 'in flight', 'calls under way', 'checks on the way'],
  ['pass over', /\bpass(es|ed|ing)? over\b/i, 'ignore, skip', 'is passed over', 'passes an override'],
  ['give away', /\bg[ai]v(e|es|en|ing) (\S+ )?away\b/i, 'transfer', 'is given away', 'is given'],
  ['carry', /\bcan(no|['’])?t (be carried|carry)\b/i, 'cannot be serialized', "can't be carried", 'carries'],
  ['come back', /\b(not|never) comes? back\b/i, 'does not return, times out', 'does not come back', 'comes back'],
  // A text that is this word alone is a value of Tauri's.
  ['folder', /(?<!^)\bfolders?\b|\bfolders?\b(?!$)/i, 'directory', 'a folder', 'a directory'],
  ['patience', /\bpatience\b/i, 'deadline, timeout', 'the patience', 'impatient'],
  ['hope', /\bhopes?\b/i, 'what the timeout does', 'no hope is left', 'hopeless'],
  ['in turn', /\bin (its |their )?turns?\b/i, 'sequentially, interleaved', 'one in turn', 'in turning'],
  ['turn', TURN, 'tick', 'in the same turn', 'it turns this into that'],
  ['all the same', /\ball the same\b/i, 'anyway, still', 'runs all the same', 'all of the same kind'],
  ['anew', /\banew\b/i, 'again', 'begins anew', 'a new one'],
  ['in vain', /\bin vain\b/i, 'without success', 'waits in vain', 'in vanity'],
  ['let go', /\b(let|lets|letting) (\S+ )?go\b(?! on\b)/i, 'release', 'is let go', 'lets it go on'],
  ['whoever', /\bwhoever\b/i, 'the caller, the host', 'by whoever calls', 'by the caller'],
  ['somebody', /\b(some|no)body\b(?![ -]listens)/i, 'the caller, the host', 'for nobody', 'nobody listens'],
  ['beside', /\bbeside\b/i, 'in addition to, compared with, next to', 'goes beside it', 'besides'],
  ['word of memory', /\bwords? of (shared )?memory\b/i, 'a shared counter', 'a word of memory', 'a word'],
  ['hurry', /\bhurry\b/i, 'signal', 'in a hurry', 'hurried'],
  ['look', /\b(each|next|last|first|more) looks?\b(?!-)/i, 'poll, check', 'the next look', 'looks at one'],
  ['housekeeping', /\bhouse ?keeping\b|\bkeeps? house\b/i, 'protocol notifications', 'keeps house', 'a house'],
]

/** String literals. */
const LITERALS = [['typographic', /[‘’“”]/, 'ASCII quotes and apostrophes', 'can’t', "can't"]]

/** Titles of tests. */
const TITLES = [
  [
    'says why',
    /\bsays? (so|why|not why)\b/i,
    'names the reason',
    'throws: the bus has failed, and says why',
    'says it',
  ],
  ['give up', /\bgiv(e|es|en|ing) (\S+ )?up\b/i, 'cancels, stops', 'a call that is given up', 'is given'],
  ['take away', /\b(takes?|taken|taking) (\S+ )?away\b/i, 'removes', 'is taken away', 'takes a file'],
]

const KINDS = ['type', 'function', 'member', 'variable', 'file']
const TYPE = ['type', 'file']
const VARIABLE = ['variable', 'function', 'file']
const STANDARD_OF = '((i|lastI)ndex|value|one|any|all|\\w+Prototype)Of'
const XOF = RegExp(`^(?!${STANDARD_OF}$)[a-z]\\w*Of$`)

/** Declared names in packages, and file names in both cases. One more column limits a row to kinds of names. */
const NAMES = [
  ['xOf', XOF, 'getX, toX, a property', 'viewOf isOf', 'valueOf setPrototypeOf'],
  ['ofX', /^of[A-Z]/, 'xEntries', 'ofCalls', 'offset official'],
  ['XParts', /[a-z]Parts$/, 'XDeps, XOptions', 'CallParts', 'splitParts', TYPE],
  ['CheckedX', /^Checked[A-Z]|[a-z]Settings$/, 'XOptions, XConfig', 'CheckedX BusSettings', 'XConfig', TYPE],
  ['vague name', /^(there|given|own|one|whole|told|asked|here)$/, 'the thing', 'there own', 'owner', VARIABLE],
  ['turns', /(^t|T)urns?(?![a-z])/, 'tick, onEndOfTick, runSequentially', 'beginTurn turns', 'returned Turned'],
]

/** Paths that are checked, and those that are not. */
const CHECKED = [
  ...['packages/core/src/a.test.ts', 'packages/core/test/a/b.mjs', 'examples/a/test/b.ts', 'README.md'],
  ...['templates/a/host.test.js', 'site/test/a.ts'],
]
const UNCHECKED = ['packages/core/etc/a.api.md', 'packages/core/dist/a.js', 'scripts/a.mjs']

/** Texts in their places: path, source, and the rules that must find something there. */
const CASES = [
  [
    'packages/core/test/fair-turns/a.mjs',
    "// Of one.\nconst told = 'in vain'\n",
    'begins Of, turns, vague name, tell, in vain',
  ],
  ['packages/core/src/patience/call-parts.ts', '', 'patience, XParts'],
  ['packages/a.ts', '// calls under\n// way\n', 'under way'],
  ['packages/a.ts', '/**\n * Calls under\n * way.\n */\n', 'under way'],
  ['packages/a.ts', '/** @param path what is read\n * @example folder */\n', 'begins What'],
  ['packages/a.ts', 'throw Error("calls under " + `way of ${one} in ${"vain"}`)', 'under way, in vain'],
  ['packages/a.ts', "it.each([])('what comes', run)", 'begins What'],
  [
    'packages/a.ts',
    'describe.each`a`(`the folder ${one} has, in turn, no patience`, run)',
    'folder, patience, in turn',
  ],
  ['packages/a.ts', "const { there: [own] } = await import('./folder.js')", 'vague name'],
  ['packages/a.ts', '// Returns `folder`.\nfolder.there("a/folder")\n', ''],
  ['a.md', '# What it is\n\n- What it is\n  under\n  way [x](folder)\n\n```\nfolder\n```\n', 'begins What, under way'],
]

const toComment = text => `// ${text}\n`
const toLiteral = text => `export const text = ${JSON.stringify(text)}\n`
const toTitle = text => `test(${JSON.stringify(text)}, () => {})\n`
const toDeclaration = name => (/^[A-Z]/.test(name) ? `interface ${name} {}\n` : `const ${name} = 1\n`)

const toRules = (rows, toSources) =>
  rows.map(([name, pattern, say, bad, good, kinds = KINDS]) => ({
    ...{ name, pattern, say, kinds },
    ...{ bad: toSources(bad), good: toSources(good) },
  }))
const sentenceRules = toRules(SENTENCES, text => [toComment(text), toTitle(text)])
const phraseRules = toRules(PHRASES, text => [toComment(text), toTitle(text)])
const literalRules = toRules(LITERALS, text => [toLiteral(text), toTitle(text)])
const titleRules = toRules(TITLES, text => [toTitle(text)])
const nameRules = toRules(NAMES, names => names.split(' ').map(toDeclaration))
const allRules = [...sentenceRules, ...phraseRules, ...literalRules, ...titleRules, ...nameRules]

/** One text to check. `places` leads from an index in it to an offset in the file. */
function toPassage(kind, pieces, separator) {
  const places = []
  let text = ''
  for (const { value, start } of pieces) {
    if (places.length > 0) text += separator
    places.push({ index: text.length, start })
    text += value
  }
  return { kind, text, places }
}

/** Lines with the offset in the file at which each begins. */
function* toLines(text, offset = 0) {
  let start = offset
  for (const value of text.split('\n')) {
    yield { value, start }
    start += value.length + 1
  }
}

/** The beginning of a paragraph: of a list item, quotation, row, heading or tag. `@throws` stays a part of its text. */
const MARKER = /^\s*([-*+>|]\s|\d+\.\s|#+\s|@param \S+( -)?|@(?!throws)\w+|(?=@throws))\s*/

/** Paragraphs of comments and Markdown, without blocks of code and examples. */
function* getParagraphs(lines) {
  let pieces = []
  let kind = 'prose'
  let isFenced = false
  let isExample = false
  for (const { value, start } of [...lines, { value: '', start: 0 }]) {
    const marker = MARKER.exec(value)?.[0]
    const isFence = /^\s*(```|~~~)/.test(value)
    if ((marker !== undefined || isFence || !value.trim()) && pieces.length > 0) {
      yield toPassage(kind, pieces, ' ')
      pieces = []
    }
    if (isFence) isFenced = !isFenced
    if (/^\s*@/.test(value)) isExample = /^\s*@example/.test(value)
    if (isFence || isFenced || isExample || !value.trim()) continue
    if (pieces.length === 0) kind = marker?.includes('#') ? 'heading' : 'prose'
    pieces.push({ value: value.slice(marker?.length ?? 0).trim(), start })
  }
}

/** Lines of comments. Line comments that follow each other are one text; an empty line separates others. */
function* getCommentLines(source, comments) {
  let previous
  for (const comment of comments) {
    const isAlone = comment.type === 'Line' && /(^|\n)[ \t]*$/.test(source.slice(0, comment.start))
    const isNext = isAlone && previous?.isAlone && /^\n[ \t]*$/.test(source.slice(previous.end, comment.start))
    if (!isNext) yield { value: '', start: 0 }
    for (const { value, start } of toLines(comment.value, comment.start + 2)) {
      yield { value: value.replace(/^\s*\*/, ''), start }
    }
    previous = { ...comment, isAlone }
  }
}

const isText = node => node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string')
const isSum = node =>
  node.type === 'BinaryExpression' && node.operator === '+' && [node.left, node.right].some(holdsText)
const holdsText = node => isText(node) || isSum(node)

/** Returns the pieces of a string, a template or a sum of them. Computed parts go to `visit` and become an ellipsis. */
function getPieces(node, visit) {
  if (isSum(node)) return [node.left, node.right].flatMap(part => getPieces(part, visit))
  if (node.type === 'TemplateLiteral') {
    const expressions = node.expressions.map(expression => getPieces(expression, visit))
    const texts = node.quasis.map(({ value, start }) => ({ value: value.cooked ?? value.raw, start }))
    return texts.flatMap((text, at) => [text, ...(expressions[at] ?? [])])
  }
  if (isText(node)) return [{ value: node.value, start: node.start }]
  visit(node)
  return [{ value: '…', start: node.start }]
}

/** True for a call of `it`, `test` or `describe`, also with what follows a dot or `each`. */
function isTestCall(node) {
  if (node.type === 'Identifier') return /^(it|test|describe)$/.test(node.name)
  const inner = node.callee ?? node.object ?? node.tag
  return inner ? isTestCall(inner) : false
}

/** Keys of patterns below which further names are declared. */
const NESTED = ['properties', 'elements', 'left', 'argument', 'parameter', 'value']

/** The kind of the names that a node declares below `key`; `outer` is that of a pattern which holds the node. */
function getNameKind(node, key, outer) {
  if (outer) return NESTED.includes(key) ? outer : undefined
  if (key === 'params' || key === 'param') return 'variable'
  if (key === 'key') return node.computed ? undefined : 'member'
  if (key !== 'id') return undefined
  if (node.type === 'VariableDeclarator') return 'variable'
  return /^(Class|TSInterface|TSTypeAlias|TSEnumDecl)/.test(node.type) ? 'type' : 'function'
}

/** String literals, test titles and declared names. */
function getTexts(program) {
  const found = []
  const visit = (node, nameKind, isTitle = false) => {
    if (holdsText(node)) {
      found.push(toPassage(isTitle ? 'title' : 'literal', getPieces(node, visit), ''))
      return
    }
    const isName = nameKind !== undefined && node.type.endsWith('Identifier')
    if (isName) found.push({ ...toPassage('name', [{ value: node.name, start: node.start }]), nameKind })
    const outer = isName ? undefined : nameKind
    for (const [key, value] of Object.entries(node)) {
      if (key === 'source') continue
      for (const child of [value].flat()) {
        if (typeof child?.type !== 'string') continue
        const isFirst = node.type === 'CallExpression' && child === node.arguments[0]
        visit(child, getNameKind(node, key, outer), isFirst && isTestCall(node.callee))
      }
    }
  }
  visit(program)
  return found
}

/** Names of the file and its directories below `src` or `page`. */
function* getFileNames(path) {
  for (const name of path.split('/').slice(3)) {
    yield { ...toPassage('name', [{ value: name.replace(/\..*/, ''), start: 0 }]), nameKind: 'file' }
  }
}

function* getPassages(path, source) {
  if (path.endsWith('.md')) {
    yield* getParagraphs(toLines(source))
    return
  }
  const { program, comments, errors } = parseSync(path, source)
  if (errors.length > 0) throw new Error(`${path} could not be parsed: ${errors[0].message}`)
  yield* getParagraphs(getCommentLines(source, comments))
  yield* getTexts(program)
  yield* getFileNames(path)
}

const toWords = name => name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/[-_]/g, ' ')
const toCamel = name => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())

function* getSentences(text) {
  let index = 0
  for (const end of text.matchAll(/[.!?]["')\]”’]*\s+(?=["“(]?[A-Z_])|$/g)) {
    const next = end.index + end[0].length
    yield { index, sentence: text.slice(index, next).trim() }
    index = next
  }
}

/** Code, links and comments within prose, which the rules don't see. */
const CODE = /`[^`]*`|\{@link [^}]*\}|\]\([^)]*\)|<!--.*?-->|https?:\S+/g

/** Finds violations in one text: the rule, and the index and length of the match. */
function* judge(path, { kind, nameKind, text }) {
  if (kind === 'name') {
    const spellings = nameKind === 'file' ? [toCamel(text), toCamel(`-${text}`)] : [text]
    const applied = path.startsWith('packages/') ? nameRules.filter(({ kinds }) => kinds.includes(nameKind)) : []
    const found = applied.filter(({ pattern }) => spellings.some(name => pattern.test(name)))
    for (const rule of [...found, ...phraseRules.filter(({ pattern }) => pattern.test(toWords(text)))]) {
      yield { rule, index: 0, length: text.length }
    }
    return
  }
  if (kind === 'literal' && /^\S*\/\S*$/.test(text)) return
  const prose = text.replace(CODE, code => '_'.repeat(code.length))
  for (const { index, sentence } of getSentences(prose)) {
    const isSentence = kind === 'literal' ? /^["“]?[A-Z]\S* \S/.test(sentence) : kind !== 'heading'
    const rules = [
      ...(isSentence && !sentence.endsWith('?') ? sentenceRules : []),
      ...phraseRules,
      ...(kind === 'literal' || kind === 'title' ? literalRules : []),
      ...(kind === 'title' ? titleRules : []),
    ]
    for (const rule of rules) {
      const found = rule.pattern.exec(sentence)
      if (found) yield { rule, index: index + found.index, length: found[0].length }
    }
  }
}

/** All that the rules find in one file; each name counts once. */
function check(path, source) {
  const hits = new Map()
  for (const passage of getPassages(path, source)) {
    for (const { rule, index, length } of judge(path, passage)) {
      const piece = passage.places.findLast(place => place.index <= index)
      const line = source.slice(0, piece.start + index - piece.index).split('\n').length
      const excerpt = passage.text.slice(Math.max(0, index - 25), index + Math.min(length, 25) + 35)
      const key = passage.kind === 'name' ? `${rule.name} ${passage.text}` : hits.size
      if (!hits.has(key)) hits.set(key, { path, line, rule, excerpt })
    }
  }
  return [...hits.values()].toSorted((a, b) => a.line - b.line)
}

/** Faults of this script: each rule has to find its bad samples, none may find a good one, and texts have to be read. */
function* testRules() {
  for (const path of CHECKED) if (!isTarget(path)) yield `${path}: not checked`
  for (const path of UNCHECKED) if (isTarget(path)) yield `${path}: checked`
  const getNames = (path, source) => check(path, source).map(({ rule }) => rule.name)
  const path = 'packages/sample.ts'
  for (const { name, bad, good } of allRules) {
    for (const source of bad) if (!getNames(path, source).includes(name)) yield `${name}: not found in ${source}`
    for (const source of good) for (const found of getNames(path, source)) yield `${found}: found in ${source}`
  }
  for (const [path, source, expected] of CASES) {
    const found = getNames(path, source).join(', ')
    if (found !== expected) yield `${path}: found "${found}" instead of "${expected}" in ${source}`
  }
}

const root = fileURLToPath(new URL('../', import.meta.url))

/** Paths of all files below a directory, relative to the root, without those that are installed, built, measured or hidden. */
function* listFiles(directory = '') {
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    const path = `${directory}${entry.name}`
    if (!entry.isDirectory()) yield path
    else if (!/^(node_modules|dist.*|bench-report|bench-compare|\..*)$/.test(entry.name)) yield* listFiles(`${path}/`)
  }
}

const faults = [...testRules()]
for (const fault of faults) console.error(fault)
console.log(`${allRules.length} rules of writing, ${faults.length} faults of these rules`)

const chosen = process.argv.slice(2).map(path => relative(root, resolve(path)).replaceAll('\\', '/'))
const isChosen = path => chosen.length === 0 || chosen.some(part => `${path}/`.startsWith(part && `${part}/`))
const files = [...listFiles()].filter(path => isTarget(path) && isChosen(path))
const hits = files.flatMap(path => check(path, readFileSync(join(root, path), 'utf8')))
for (const { path, line, rule, excerpt } of hits.slice(0, MAX_LINES)) {
  console.log(`${path}:${line}  ${rule.name}: "${excerpt.replace(/\s+/g, ' ')}"  -> say ${rule.say}`)
}
if (hits.length > MAX_LINES) console.log(`… and ${hits.length - MAX_LINES} more`)
process.exitCode = faults.length > 0 || hits.length > 0 ? 1 : 0
