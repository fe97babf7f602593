// Starts `sallyport-mcp wrap` as a client does, and a registry of npm for it.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Client, type ClientCapabilities } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { onTestFinished } from 'vitest'
import { makeDirectory } from './start.js'

export const CLI: string = fileURLToPath(new URL('../dist/bundle/cli.js', import.meta.url))
export const SERVER: string = fileURLToPath(new URL('fixtures/wrapped.mjs', import.meta.url))

/** A first start installs the server. */
const INSTALL_MS = 300_000

export interface Started {
  readonly client: Client
  /** What the command has written to standard error, once it has ended. */
  readonly said: Promise<string>
  call(task: string, more?: object): Promise<unknown>
}

/** @param data - the directory in which it keeps what was accepted */
export async function startWrap(
  args: readonly string[],
  data: string,
  env: Readonly<Record<string, string>> = {},
  capabilities: ClientCapabilities = {},
  cwd: string = data,
): Promise<Started> {
  const variables = { PATH: process.env.PATH!, XDG_DATA_HOME: data, ...env }
  const command = { command: process.execPath, args: [CLI, 'wrap', ...args], env: variables }
  const transport = new StdioClientTransport({ ...command, stderr: 'pipe', cwd })
  const said = text(transport.stderr as Readable)
  const client = new Client({ name: 'test', version: '1' }, { capabilities })
  onTestFinished(() => client.close())
  await client.connect(transport, { timeout: INSTALL_MS }).catch(async (error: Error) => {
    throw new Error(`${error.message}: ${await said}`)
  })
  const call = async (task: string, more: object = {}): Promise<unknown> => {
    const { content } = await client.callTool({ name: 'run', arguments: { task, ...more } })
    return JSON.parse((content[0] as { text: string }).text)
  }
  return { client, said, call }
}

/** Packs a package in versions, and serves them on a port. Returns its address. */
export async function startRegistry(
  name: string,
  versions: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<{ url: string; close: () => void }> {
  const packed = new Map<string, Buffer>()
  const listed: Record<string, object> = {}
  const server = createServer((request, response) => {
    // As a proxy it gets whole URLs.
    const { pathname } = new URL(request.url ?? '', 'http://localhost')
    const body = packed.get(pathname) ?? (pathname === `/${name}` ? JSON.stringify(packument) : undefined)
    response.writeHead(body === undefined ? 404 : 200).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const [version, files] of Object.entries(versions)) {
    const directory = makeDirectory()
    mkdirSync(join(directory, 'package'))
    const manifest = { name, version, type: 'module', bin: 'server.mjs', scripts: { install: 'node script.mjs' } }
    const all = { 'package.json': JSON.stringify(manifest), ...files }
    for (const [file, content] of Object.entries(all)) writeFileSync(join(directory, 'package', file), content)
    const path = `/${name}-${version}.tgz`
    execFileSync('tar', ['czf', join(directory, 'packed.tgz'), '-C', directory, 'package'])
    packed.set(path, readFileSync(join(directory, 'packed.tgz')))
    const integrity = `sha512-${createHash('sha512').update(packed.get(path)!).digest('base64')}`
    listed[version] = { ...manifest, hasInstallScript: true, dist: { tarball: `${url}${path}`, integrity } }
  }
  const packument = { name, 'dist-tags': { latest: Object.keys(versions).at(-1) }, versions: listed }
  const close = (): void => server.close().closeAllConnections()
  onTestFinished(close)
  return { url, close }
}
