// Lint rules. no-real-time: a test does not depend on how fast the machine is. A deadline is over at once (1 ms), or never comes (60 s and more), or the clock is
// the test's own. Where real time is the subject, a comment says why:
//   // oxlint-disable-next-line sallyport/no-real-time -- the limit of CPU time is one of real time
import { dirname, resolve } from 'node:path'

const DEADLINES = new Set(
  'timeout heartbeat hookTimeout loadTimeout startTimeout stopTimeout commandTimeout idle slowAfter time period'.split(
    ' ',
  ),
)
const OVER_AT_ONCE = 1
const NEVER = 60_000
const CLOCKS = { performance: ['now', 'eventLoopUtilization'], Date: ['now'], process: ['hrtime', 'cpuUsage'] }

const isNumber = node => node?.type === 'Literal' && typeof node.value === 'number'
const nameOf = ({ type, name, value }) => (type === 'Identifier' ? name : value)
const isPoll = ({ type, property }) =>
  type === 'MemberExpression' && ['poll', 'waitFor', 'waitUntil'].includes(nameOf(property))

const getRoot = node =>
  node.type === 'CallExpression' ? getRoot(node.callee) : node.type === 'MemberExpression' ? getRoot(node.object) : node
/** Returns the test that a node is in; the whole file if it is in none: a helper, or what runs before each test. */
const getTest = node => {
  for (let each = node; each; each = each.parent)
    if (each.type === 'CallExpression' && ['test', 'it'].includes(getRoot(each).name)) return each
  return 'file'
}

const noRealTime = {
  create(context) {
    const found = []
    /** The tests with a clock of their own. */
    const owners = new Set()
    const find = (node, message) => found.push({ node, message })
    return {
      ImportDeclaration({ source, specifiers }) {
        if (source.value === 'node:timers/promises')
          for (const each of specifiers)
            if (each.imported?.name !== 'setImmediate') find(each, 'waits for real time: wait for what has to happen')
        if (source.value.endsWith('/stage.js')) owners.add('file')
      },
      CallExpression(node) {
        const { callee, arguments: args } = node
        if (
          callee.type === 'Identifier' &&
          /^set(Timeout|Interval)$/.test(callee.name) &&
          isNumber(args[1]) &&
          args[1].value > OVER_AT_ONCE
        )
          find(node, 'waits for real time: wait for what has to happen')
        if (callee.type !== 'MemberExpression') return
        if (nameOf(callee.property) === 'useFakeTimers') owners.add(getTest(node))
        if (isPoll(callee) && args[1]?.type === 'ObjectExpression')
          find(args[1], 'polls with a limit of its own: the limit is that of the test')
      },
      MemberExpression(node) {
        if (CLOCKS[node.object.name]?.includes(nameOf(node.property)))
          find(node, 'reads a real clock: count instead, or give the code a clock')
      },
      Property({ key, value, parent }) {
        if (!DEADLINES.has(nameOf(key)) || !isNumber(value)) return
        const call = parent.parent
        if (call?.type === 'CallExpression' && isPoll(call.callee)) return
        if (value.value > OVER_AT_ONCE && value.value < NEVER)
          find(
            value,
            `a deadline that a slow machine misses: use ${OVER_AT_ONCE}, at least ${NEVER}, or a clock of the test's own`,
          )
      },
      'Program:exit'() {
        for (const each of found) if (!owners.has('file') && !owners.has(getTest(each.node))) context.report(each)
      },
    }
  },
}

/** Each row of `each` is a test with its hooks and its line in the report: a table is one test, with `rows` of testing.ts. */
const MAX_ROWS = 8
const fewRows = {
  create(context) {
    return {
      CallExpression(node) {
        const { callee, parent } = node
        const [table] = node.arguments
        if (callee.name === 'rows' && table && !(parent.type === 'CallExpression' && parent.callee === node))
          context.report({ node, message: 'tries no row: pass the check, as in rows(table)(check)' })
        if (callee.type !== 'MemberExpression' || !['each', 'for'].includes(nameOf(callee.property))) return
        if (!['test', 'it', 'describe'].includes(getRoot(callee).name)) return
        if (table?.type === 'ArrayExpression' && table.elements.length > MAX_ROWS)
          context.report({ node: table, message: `more than ${MAX_ROWS} rows: make it one test, with rows()` })
      },
    }
  },
}

/** What a timer may do, and decide, is one function each in protocol/src/util/timers.ts. */
const noOwnTimers = {
  create(context) {
    const message = 'a timer of its own: take one of protocol/src/util/timers.ts'
    const isTimer = name => /^set(Timeout|Interval)$/.test(name)
    return {
      ImportDeclaration({ source, specifiers }) {
        if (!/^(node:)?timers(\/promises)?$/.test(source.value)) return
        for (const node of specifiers) if (node.imported?.name !== 'setImmediate') context.report({ node, message })
      },
      Identifier(node) {
        const { name, parent } = node
        const isName = parent.property === node || parent.key === node || /^(Import|TSTypeQuery)/.test(parent.type)
        if (isTimer(name) && !isName) context.report({ node, message })
      },
      MemberExpression(node) {
        const { object, property } = node
        const isSignal = object.name === 'AbortSignal' && nameOf(property) === 'timeout'
        // Those of sockets and servers too: Node runs them before it reads.
        if (isTimer(nameOf(property)) || isSignal) context.report({ node, message })
      },
    }
  },
}

/** The host of a URL takes quadratic time, so that of a text of others is bounded before it is parsed, in protocol/src/util/foreign-url.ts. */
const noOwnUrls = {
  create(context) {
    const message = 'parses a text that others can have written: use parseForeignUrl'
    const isOwn = node =>
      (node?.type === 'Literal' && typeof node.value === 'string') ||
      (node?.type === 'CallExpression' && isMeta(node.callee)) ||
      isMeta(node)
    const isMeta = node => node?.type === 'MemberExpression' && node.object.type === 'MetaProperty'
    const isUrl = ({ name, type, object, property }) =>
      name === 'URL' || (type === 'MemberExpression' && object.name === 'globalThis' && nameOf(property) === 'URL')
    return {
      ImportDeclaration({ source, specifiers }) {
        if (!/^(node:)?url$/.test(source.value)) return
        for (const node of specifiers) {
          const { name = 'default' } = node.imported ?? {}
          if (!['fileURLToPath', 'pathToFileURL', 'URLSearchParams'].includes(name)) context.report({ node, message })
        }
      },
      NewExpression(node) {
        if (isUrl(node.callee) && !isOwn(node.arguments[0])) context.report({ node, message })
      },
      MemberExpression(node) {
        if (isUrl(node.object) && ['canParse', 'parse'].includes(nameOf(node.property)))
          context.report({ node, message })
      },
    }
  },
}

/** A package has borders, which the linter knows by its name. */
const importsByName = {
  create(context) {
    const { filename } = context
    const check = node => {
      const name = node.source?.value
      if (typeof name !== 'string' || !name.startsWith('.')) return
      const path = resolve(dirname(filename), name)
      const [found] = /^.*[\\/](?:packages|extensions)[\\/][^\\/]+[\\/](?=(?:dist|src)[\\/])/.exec(path) ?? []
      if (found !== undefined && !filename.startsWith(found))
        context.report({ node, message: 'imports a file of another package: import that by its name' })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    }
  },
}

const rules = {
  'no-real-time': noRealTime,
  'few-rows': fewRows,
  'no-own-timers': noOwnTimers,
  'no-own-urls': noOwnUrls,
  'imports-by-name': importsByName,
}
export default { meta: { name: 'sallyport' }, rules }
