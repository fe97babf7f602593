// @ts-check
// The core module: the tools, and middleware around each call. A call has passed the hook, the permission and the quota by then. It is
// written to the audit log, a person approves calls that cannot be undone, and each tool enforces its scope.
import { CommandError, command, defineCore, plugin, stateKey } from '@sallyport/core'
import { appendFile, readFile, readdir, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

/** The file of the audit log. @type {import('@sallyport/core').StateKey<string>} */
const AUDIT = stateKey('audit')
const NEEDS_APPROVAL = new Set(['plugin:tools|delete_file'])

/** Writes one line of JSON for each call: the caller, the command and the outcome. @type {import('@sallyport/core').Middleware} */
const audit = async ({ command, args, ctx }, next) => {
  const line = { time: new Date().toISOString(), label: ctx.label, command, args: brief(args) }
  const note = (/** @type {string} */ outcome) =>
    appendFile(ctx.state(AUDIT), `${JSON.stringify({ ...line, outcome })}\n`)
  try {
    const result = await next()
    await note('ok')
    return result
  } catch (error) {
    const { commandCode, reason } = /** @type {{ commandCode?: string, reason?: string }} */ (error)
    await note(commandCode ?? reason ?? 'failed')
    throw error
  }
}

/** @type {import('@sallyport/core').Middleware} */
const approval = async ({ command, args, ctx }, next) => {
  if (NEEDS_APPROVAL.has(command)) {
    const question = `Allow ${ctx.label} to call ${command} with ${JSON.stringify(args)}?`
    if (!(await ctx.confirm(question))) throw new CommandError('REFUSED', 'A person refused the call')
  }
  return next()
}

/** Truncates long strings. @param {unknown} args */
const brief = args =>
  JSON.parse(JSON.stringify(args), (_key, value) =>
    typeof value === 'string' && value.length > 60 ? `${value.slice(0, 60)}… (${value.length})` : value,
  )

const File = v.object({ name: v.pipe(v.string(), v.regex(/^\w[\w.-]{0,99}$/)) })
const Written = v.object({ ...File.entries, text: v.pipe(v.string(), v.maxLength(65_536)) })

/** Returns the directory that the scope of the caller's permission names. @param {import('@sallyport/core').CommandContext} ctx */
function workspaceOf({ scope }) {
  const [entry] = /** @type {{ workspace: string }[]} */ (scope.allow)
  if (!entry) throw new CommandError('NO_WORKSPACE', 'The permission names no workspace')
  return entry.workspace
}

/** @param {unknown} error @returns {never} */
function missing(error) {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error
  throw new CommandError('NO_SUCH_FILE', 'There is no such file')
}

const tools = plugin('tools', {
  commands: {
    /** @param {unknown} _args @param {import('@sallyport/core').CommandContext} ctx */
    list_files: async (_args, ctx) => (await readdir(workspaceOf(ctx))).toSorted(),
    read_file: command({ args: File }, ({ name }, ctx) =>
      readFile(join(workspaceOf(ctx), name), 'utf8').catch(missing),
    ),
    write_file: command({ args: Written }, ({ name, text }, ctx) => writeFile(join(workspaceOf(ctx), name), text)),
    delete_file: command({ args: File }, ({ name }, ctx) => unlink(join(workspaceOf(ctx), name)).catch(missing)),
  },
  setup(app, { config }) {
    app.manage(AUDIT, /** @type {{ audit: string }} */ (config).audit)
  },
})

export default defineCore({ use: [audit, approval], plugins: [tools] })
