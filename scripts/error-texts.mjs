// Reads the reason and the text of each `new BusError(reason, text)` of the sources, through variables, branches, members and functions. A
// parameter of the function around it is read from each caller, except that of the subject with which a text begins.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { parseSync } from 'rolldown/utils'

const SOURCE = /(?<!\.test|\.test-d|\.browser|\.script)\.ts$/
const WRITTEN = /^(?:Literal|TemplateLiteral|ConditionalExpression)$/
/** What an expression is named after. */
const NAMING = ['elements', 'expression', 'argument', 'alternate', 'left', 'expressions', 'callee']
export const PLACEHOLDER = /<[a-z ]+>/g
const MAX_TEXTS = 24
const MAX_DEPTH = 8

const fromRoot = path => new URL(`../${path}`, import.meta.url)
const errors = []
/** By name: calls of a function, values of a variable or member, declarations of modules. */
const [calls, values, declarations] = [new Map(), new Map(), new Map()]
const add = (map, name, node) => map.get(name)?.push(node) ?? map.set(name, [node])
const getNodes = (node, keys = Object.keys(node)) =>
  keys.flatMap(key => (key === 'parent' ? [] : node[key])).filter(each => typeof each?.type === 'string')
const isFunction = node => /^(?:Function(?:Declaration|Expression)|ArrowFunctionExpression)$/.test(node?.type)
const isPlaceholder = text => /^<[a-z ]+>$/.test(text)
const isCode = text => /^[A-Z]+(?:_[A-Z]+)+$/.test(text)
const isPhrase = text => text.includes(' ') && !isPlaceholder(text)
/** True for a text with words of its own, beside the names before its colons. */
export const hasWords = text => /[a-z]{2}/i.test(text.replaceAll(PLACEHOLDER, '').replace(/^(?:[\w.]*: )+/, ''))

function visit(node, path) {
  const { type, callee, left, right, key, kind, value } = Object.assign(node, { path })
  if (type === 'NewExpression' && /^(?:BusError|LauncherUnavailable)$/.test(callee.name)) errors.push(node)
  if (type === 'CallExpression') add(calls, callee.name ?? callee.property?.name, node)
  if (type === 'AssignmentExpression') add(values, left.name ?? `.${left.property?.name}`, right)
  for (const each of kind === 'get' ? getReturned(value) : key && value ? [value] : [])
    add(values, `.${key.name}`, each)
  for (const child of getNodes(node)) visit(Object.assign(child, { parent: node }), path)
}

/** The names that the statements of a block declare, each with its node. */
const getDeclared = block =>
  getNodes(block, ['body', 'consequent']).flatMap(statement => {
    const declaration = statement.declaration ?? statement
    const { declarations: variables = [], specifiers = [] } = declaration
    const named = [...variables.flatMap(each => each.id.properties ?? [each]), ...specifiers, declaration]
    return named.map(node => [(node.local ?? node.value ?? node.id)?.name, node])
  })

/** The variable, function or parameter that `name` means at a node. */
function find(name, at) {
  for (let scope = at.parent; scope; scope = scope.parent) {
    const parameters = isFunction(scope) ? scope.params.flatMap(each => each.properties ?? [each]) : []
    const parameter = parameters.find(node => (node.left ?? node.value ?? node).name === name)
    const node = parameter ?? getDeclared(scope).find(([declared]) => declared === name)?.[1]
    if (!node) continue
    if (node.type !== 'ImportSpecifier') return node
    const found = declarations.get(node.imported.name) ?? []
    const target = join(dirname(at.path), node.parent.source.value).replace(/js$/, 'ts')
    return found.find(({ path }) => path === target) ?? found[0]
  }
}

const getFunction = node => (node?.type === 'VariableDeclarator' ? node.init : node)
const getReturned = ({ body }) => (body.type === 'BlockStatement' ? getReturns(body) : [body])
const getReturns = node =>
  node.type === 'ReturnStatement' ? getNodes(node) : isFunction(node) ? [] : getNodes(node).flatMap(getReturns)

/** What a program puts into a text, in words: `<label>`. */
function describe(node) {
  const { callee, arguments: args = [] } = node
  const isMethod = callee?.property && !/^(?:JSON|Math|Object)$/.test(callee.object.name)
  const [inner] = isMethod ? [callee.object] : [...args, ...getNodes(node, NAMING)]
  if (inner) return describe(inner)
  const name = node.name ?? node.property?.name ?? 'value'
  return `<${name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()}>`
}

/** The texts that an expression can have. `env` has the arguments of parameters; `free` gets the parameters that have none. */
function read(node, env, free, depth = 0) {
  const opaque = [describe(node)]
  const again = (each, scope = env) => read(each, scope, free, depth + 1)
  const union = (nodes, scope = env) => {
    const texts = [...new Set(nodes.flatMap(each => (each ? again(each, scope) : [])))]
    return texts.length > 0 && texts.length <= MAX_TEXTS ? texts : opaque
  }
  const ofMember = name => {
    const written = (values.get(`.${name}`) ?? []).filter(({ path, type }) => path === node.path && WRITTEN.test(type))
    const texts = name === 'message' ? [] : union(written).filter(isPhrase)
    return texts.length > 0 ? texts : opaque
  }
  if (depth > MAX_DEPTH) return opaque
  if (node.type === 'Literal') return typeof node.value === 'boolean' ? [] : [String(node.value)]
  if (node.type === 'ConditionalExpression') return union([node.consequent, node.alternate])
  if (node.type === 'LogicalExpression') return union([node.operator !== '&&' && node.left, node.right])
  if (node.type === 'MemberExpression') return ofMember(node.property.name)
  if (node.type === 'BinaryExpression') {
    const [[left], [right]] = [again(node.left), again(node.right)]
    return isPhrase(left) || isPhrase(right) ? [left + right] : opaque
  }
  if (node.type === 'TSAsExpression') return again(node.expression)
  // It mends a text that is written there.
  if (node.callee?.property?.name === 'replace' && node.callee.object.type === 'TemplateLiteral')
    return again(node.callee.object)
  if (node.type === 'TemplateLiteral') {
    const [[first, ...words], [subject, ...others]] = [node.quasis.map(({ value }) => value.cooked), node.expressions]
    const rest = others.map(each => again(each))
    const isSubject = first === '' && hasWords([...words, ...rest.flat()].join(' '))
    const parts = subject ? [isSubject ? read(subject, env, new Set(), depth + 1) : again(subject), ...rest] : []
    // They vary together, so only the longest is shown in full.
    const [longest] = parts
      .slice(isSubject ? 1 : 0)
      .filter(({ length }) => length > 1)
      .toSorted((a, b) => `${b}`.length - `${a}`.length)
    const kept = parts.map((part, at) =>
      part.length === 1 || part === longest ? part : [describe(node.expressions[at])],
    )
    return kept.reduce((texts, part, at) => texts.flatMap(text => part.map(each => text + each + words[at])), [first])
  }
  if (node.type === 'Identifier') {
    const found = find(node.name, node)
    if (env.has(found)) return env.get(found) ? again(env.get(found)) : opaque
    if (found?.type === 'Property') return ofMember(found.key.name)
    if (isFunction(found?.parent)) free.add(found)
    if (found?.type !== 'VariableDeclarator') return node.name === 'undefined' ? [] : opaque
    const texts = union([found.init, ...(values.get(node.name) ?? []).filter(each => find(node.name, each) === found)])
    return isPlaceholder(texts[0]) && texts.length === 1 ? opaque : texts
  }
  const called = node.callee?.name && getFunction(find(node.callee.name, node))
  if (!isFunction(called)) return opaque
  const bound = new Map([...env, ...called.params.map((each, at) => [each, node.arguments[at] ?? each.right])])
  const texts = union(getReturned(called), bound)
  return texts.some(isPlaceholder) ? opaque : texts
}

function getCallers(called) {
  const { id, key } = called.id ? called : called.parent
  const isCaller = call => (id ? getFunction(find(id.name, call)) === called : call.path === called.path)
  return (calls.get((id ?? key)?.name) ?? []).filter(isCaller)
}

/** The reasons and texts of an error, for each caller that its parameters come from. */
function expand(error, env = new Map(), at = error, depth = 0) {
  const free = new Set()
  const given = error.arguments.slice(0, 2).map(node => read(node, env, free))
  const property = getNodes(error.arguments[2] ?? {}).find(({ key }) => key?.name === 'code')
  // The reason and the code of a launcher's error are fixed.
  const [reasons, texts, [code] = []] =
    error.callee.name === 'BusError'
      ? [...given, property && read(property.value, env, free)]
      : [['InvalidParams'], given[0], ['WALL_UNAVAILABLE']]
  const parent =
    depth < MAX_DEPTH / 2 && Array.from(free, each => each.parent).find(each => getCallers(each).length > 0)
  const callers = parent ? getCallers(parent) : []
  if (callers.length === 0) return reasons.flatMap(reason => texts.map(text => ({ reason, text, path: at.path, code })))
  return callers.flatMap(call => {
    const given = parent.params.flatMap((parameter, index) => {
      const inner = new Set()
      const value = call.arguments[index] ?? parameter.right
      const found = value && free.has(parameter) ? read(value, env, inner) : []
      const isText =
        found.some(text => isPhrase(text) || isCode(text)) || (inner.size > 0 && found.every(isPlaceholder))
      return free.has(parameter) ? [[parameter, isText && value]] : []
    })
    return expand(error, new Map([...env, ...given]), given.some(([, value]) => value) ? call : at, depth + 1)
  })
}

const folders = ['packages', 'extensions'].flatMap(top =>
  readdirSync(fromRoot(top), 'utf8')
    .toSorted()
    .map(name => `${top}/${name}/src`),
)
for (const folder of folders.filter(
  each => existsSync(fromRoot(each)) && !/^packages\/(?:bench|measure)\//.test(each),
)) {
  for (const name of readdirSync(fromRoot(folder), { recursive: true, encoding: 'utf8' })
    .filter(each => SOURCE.test(each))
    .toSorted()) {
    const path = `${folder}/${name.replaceAll('\\', '/')}`
    const { program } = parseSync(path, readFileSync(fromRoot(path), 'utf8'))
    visit(program, path)
    for (const [declared, node] of getDeclared(program)) if (!node.imported) add(declarations, declared, node)
  }
}

/** The errors, each with its reasons and texts, and its code if it has one: `{ path, found: { reason, text, path, code }[] }`. */
export const getErrors = () => errors.map(error => ({ path: error.path, found: expand(error) }))
