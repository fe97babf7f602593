// node scripts/official-permissions.mjs <plugins>: writes what Tauri's official plugins define in their permission files, for
// extensions/tauri-plugins. `<plugins>` is the directory `plugins` of tauri-apps/plugins-workspace. Writes the data of the package, and which
// commands each identifier allows and denies, as a test compares it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const { resolve } = createRequire(new URL('../packages/core/package.json', import.meta.url))
const { parse } = await import(pathToFileURL(resolve('smol-toml')).href)
const urls = ['mailto:*', 'tel:*', 'http://*', 'https://*'].map(url => ({ url }))

/** What newer releases have in addition. */
const NEWER = {
  fs: { commands: ['size', 'start_accessing_security_scoped_resource', 'stop_accessing_security_scoped_resource'] },
  http: { commands: ['fetch_cancel_body'], default: ['allow-fetch-cancel-body'] },
  opener: {
    commands: ['open_path', 'open_url', 'reveal_item_in_dir'],
    default: ['allow-open-url', 'allow-reveal-item-in-dir', 'allow-default-urls'],
    permissions: [{ identifier: 'allow-default-urls', scope: { allow: urls } }],
  },
}

/** @param {Iterable<string>} words */
const sort = words => [...words].toSorted()

/** Permissions and sets of fs for one base directory, which differ in its name only. */
const isOfDirectory = file => file.includes('base-directories')

function readPlugin(directory, name) {
  const folder = join(directory, name, 'permissions')
  const files = name in NEWER && !readdirSync(directory).includes(name) ? [] : readdirSync(folder, { recursive: true })
  const plugin = { commands: new Set(), defaults: [], permissions: new Map(), sets: new Map(), directories: [] }
  for (const file of sort(files.filter(each => each.endsWith('.toml')))) {
    const { default: defaults, permission = [], set = [] } = parse(readFileSync(join(folder, file), 'utf8'))
    if (defaults) plugin.defaults = defaults.permissions
    if (isOfDirectory(file)) plugin.directories.push(file.replace(/^.*[\\/]|\.toml$/g, ''))
    for (const each of permission) plugin.permissions.set(each.identifier, each)
    for (const each of set) plugin.sets.set(each.identifier, each.permissions)
  }
  const { commands = [], default: defaults = [], permissions = [] } = NEWER[name] ?? {}
  for (const command of commands) {
    const suffix = command.replaceAll('_', '-')
    for (const effect of ['allow', 'deny']) {
      const identifier = `${effect}-${suffix}`
      plugin.permissions.set(identifier, { identifier, commands: { [effect]: [command] } })
    }
  }
  for (const each of permissions) plugin.permissions.set(each.identifier, each)
  plugin.defaults = [...plugin.defaults, ...defaults]
  return plugin
}

/** Names what the files mean: some have the name of a permission among their commands, or lack `allow-`. */
function correct({ permissions, sets, ...plugin }) {
  for (const permission of permissions.values()) {
    const named = permission.commands?.allow ?? []
    const scope = named.map(command => permissions.get(command)?.scope).find(Boolean)
    if (!scope) continue
    permission.scope = scope
    permission.commands.allow = named.filter(command => !permissions.has(command))
  }
  const toKnown = name => (permissions.has(name) || sets.has(name) ? name : `allow-${name}`)
  return { ...plugin, permissions, sets, defaults: plugin.defaults.map(toKnown) }
}

/** Finds the commands that have the two usual permissions, and leaves the other permissions. */
function compact({ permissions, sets, defaults, directories }) {
  const commands = []
  const others = new Map(permissions)
  for (const { identifier, commands: named, scope } of permissions.values()) {
    const [command, ...more] = named?.allow ?? []
    if (scope || more.length > 0 || identifier !== `allow-${command?.replaceAll('_', '-')}`) continue
    const denial = permissions.get(identifier.replace('allow', 'deny'))
    if (denial?.commands?.deny?.join() !== command) throw new Error(`${identifier} has no counterpart`)
    commands.push(command)
    others.delete(identifier)
    others.delete(denial.identifier)
  }
  const isDerived = name => directories.some(directory => new RegExp(`^(allow|scope)-${directory}(-|$)`).test(name))
  const kept = map => [...map].filter(([name]) => !isDerived(name)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const toEntry = ({ commands: { allow = [], deny = [] } = {}, scope = {} }) => {
    if (deny.length > 0 || scope.deny) throw new Error('a permission of another form')
    return {
      ...(allow.length && { commands: allow.join(' ') }),
      ...(scope.allow && { scope: toScope(scope.allow.map(toValue)) }),
    }
  }
  return {
    commands: sort(commands).join(' '),
    ...(defaults.length && { default: defaults.join(' ') }),
    ...(kept(others).length && { permissions: Object.fromEntries(kept(others).map(([k, v]) => [k, toEntry(v)])) }),
    ...(kept(sets).length && { sets: Object.fromEntries(kept(sets).map(([k, v]) => [k, v.join(' ')])) }),
    ...(directories.length && { directories: directories.join(' ') }),
  }
}

/** Paths are words in one string. */
const toScope = values => (values.every(value => typeof value === 'string') ? values.join(' ') : values)

/** fs accepts a path for `{ path }`. */
const toValue = value => (typeof value.path === 'string' ? value.path : value)

/** Which commands each identifier allows (`+`) and denies (`-`), from the files alone. */
function resolveAll({ permissions, sets, defaults }) {
  const open = (name, seen) => {
    if (seen.has(name)) return []
    seen.add(name)
    if (sets.has(name) || name === 'default') return (sets.get(name) ?? defaults).flatMap(each => open(each, seen))
    const { commands: { allow = [], deny = [] } = {} } = permissions.get(name)
    return [...allow.map(each => `+${each}`), ...deny.map(each => `-${each}`)]
  }
  const names = sort([...permissions.keys(), ...sets.keys(), 'default'])
  return Object.fromEntries(names.map(name => [name, sort(new Set(open(name, new Set()))).join(' ')]))
}

const [directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('give the directory "plugins" of tauri-apps/plugins-workspace')
const names = [...new Set([...readdirSync(directory), ...Object.keys(NEWER)])].toSorted()
const plugins = names.map(name => [name, correct(readPlugin(directory, name))])
const data = Object.fromEntries(plugins.map(([name, plugin]) => [name, compact(plugin)]))
const text = `// Generated by scripts/official-permissions.mjs from the permission files of tauri-apps/plugins-workspace.

/** What a plugin has in its permission files. Lists are words in one string. */
export interface OfficialPlugin {
  /** Commands with permissions of their own, "allow-<command>" and "deny-<command>". */
  readonly commands: string
  /** The set "default". */
  readonly default?: string
  /** Permissions for several commands, or with a scope. */
  readonly permissions?: Readonly<
    Record<string, { readonly commands?: string; readonly scope?: string | readonly unknown[] }>
  >
  readonly sets?: Readonly<Record<string, string>>
  /** Base directories of fs. Each has the same permissions and sets. */
  readonly directories?: string
}

export const OFFICIAL_PLUGINS: Readonly<Record<string, OfficialPlugin>> = ${JSON.stringify(data, null, 2)}
`
const write = (path, content) =>
  writeFileSync(fileURLToPath(new URL(`../extensions/tauri-plugins/${path}`, import.meta.url)), content)
write('src/shared/official-permissions.ts', text)
const resolved = Object.fromEntries(plugins.map(([name, plugin]) => [name, resolveAll(plugin)]))
write('test/permissions/official-commands.json', `${JSON.stringify(resolved, null, 2)}\n`)
