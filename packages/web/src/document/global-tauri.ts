// The script for `app.withGlobalTauri`: the project's own @tauri-apps/api as `window.__TAURI__`.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const REQUIRE = /\brequire\((['"])(\.{1,2}\/[^'"]+)\1\)/g

/** Returns the package's CommonJS modules as one script, which runs before those of the page. @throws {Error} if it is not installed */
export async function createGlobalTauri(directory: string): Promise<string> {
  const entry = createRequire(join(directory, 'package.json')).resolve('@tauri-apps/api')
  const modules = new Map<string, string>()
  await addModule(entry, modules)
  const ids = [...modules.keys()]
  const functions = Array.from(modules.values(), text => `(exports,require)=>{${text}\n}`)
  return `window.__TAURI__=(()=>{const modules=[${functions.join(',\n')}],loaded=[]
const require=id=>{if(!loaded[id])modules[id](loaded[id]={},require);return loaded[id]}
return require(0)})()`.replaceAll(
    REQUIRE_PATH,
    (_match, path: string) => `require(${ids.indexOf(JSON.parse(path) as string)})`,
  )
}

/** Marks a module's path until all modules have a number. */
const REQUIRE_PATH = /\brequire\(#("(?:[^"\\]|\\.)*")\)/g

async function addModule(path: string, modules: Map<string, string>): Promise<void> {
  if (modules.has(path)) return
  modules.set(path, '')
  const text = await readFile(path, 'utf8')
  const required: string[] = []
  const linked = text.replaceAll(REQUIRE, (_match, _quote, name: string) => {
    const target = join(dirname(path), name)
    required.push(target)
    return `require(#${JSON.stringify(target)})`
  })
  modules.set(path, linked)
  for (const target of required) await addModule(target, modules)
}
