// Each function of the public API refuses an option that it does not have, and one of a wrong kind, with one class of error and its own name.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toExecutor, toIsolateDriver, toTool, toTransport } from '@sallyport/code-mode'
import {
  type App,
  type Bus,
  BusError,
  type Channel,
  type Client,
  command,
  createBus,
  defineCore,
} from '@sallyport/core'
import { explainCapabilities } from '@sallyport/core/acl'
import { bubblewrap, deno, docker, landlock, startProgram } from '@sallyport/core/launchers'
import { createTestBus, runHook } from '@sallyport/core/testing'
import { Channel as ClientChannel, emit, emitTo, invoke, listen, once, stream } from '@sallyport/frontend'
import { instrument } from '@sallyport/frontend/otel'
import { openMcp, serveMcp } from '@sallyport/mcp'
import { createBusSecret, issueCredential, joinBus, natsNetwork } from '@sallyport/nats'
import { openPlugins, type Plugins } from '@sallyport/plugin-host'
import * as tauri from '@sallyport/tauri-plugins'
import { serveFrontends } from '@sallyport/web'
import { connect } from '@sallyport/web/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rows } from '../../scripts/testing.js'
import { readOptionLists } from './option-lists.js'

const lists = readOptionLists()

/** Functions with options that the table does not call, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'CodeExecutor.execute': 'the options are those of @cloudflare/codemode',
  'JoinedBus.close': 'needs a server of NATS: the host that checks its options is the one of Bus.close',
  'JoinedBus.closeFrontend': 'as JoinedBus.close',
  'JoinedBus.connect': 'as JoinedBus.close',
  'JoinedBus.open': 'as JoinedBus.close',
}

/** Of types that any value has, or none but a hostile one is refused for. */
const ANY = /^unknown$/
const getWrongValue = (type: string): unknown => (/\bnumber\b/.test(type) ? 'seven' : 7)

const CLIENT = Symbol.for('@sallyport/frontend:client')
let directory: string
let bus: Bus
let app: App
let client: Client
let plugins: Plugins
let channel: Channel

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-options-'))
  const core = defineCore({
    commands: { greet: () => 'Hello', keep: ({ kept }: { kept: Channel }) => void (channel = kept) },
    setup: started => void (app = started),
  })
  bus = await createBus({ core, log: false })
  client = await bus.connect('main', { allow: '*' })
  client.expose({ f: () => 1 })
  await client.invoke('keep', { kept: new ClientChannel() })
  plugins = await openPlugins(bus, { directory })
  // The functions of a frontend's module find its client there.
  Object.assign(globalThis, { [CLIENT]: client })
})

afterAll(async () => {
  Reflect.deleteProperty(globalThis, CLIENT)
  await plugins.close()
  await bus.close()
  rmSync(directory, { recursive: true })
})

const next = (iterable: AsyncIterable<unknown>): Promise<unknown> => iterable[Symbol.asyncIterator]().next()
const noop = (): void => {}
const core = defineCore({ commands: {} })
// `os` has no options.
const { os: _os, ...withOptions } = tauri
const nats = { servers: '127.0.0.1:1' }

type Call = (options: any) => unknown
/** Each function with the subject of its errors, and a call that is right but for the options. */
const TABLE: Readonly<Record<string, readonly [subject: string, call: Call]>> = {
  'App.listen': ['app.listen', options => app.listen('e', noop, options)],
  'App.once': ['app.once', options => app.once('e', options)],
  'Bus.callAll': ['function "f"', options => bus.callAll('f', {}, options)],
  'Bus.close': ['bus.close', options => bus.close(options)],
  'Bus.closeFrontend': ['bus.closeFrontend', options => bus.closeFrontend('main', options)],
  'Bus.connect': ['bus.connect', options => bus.connect('other', options)],
  'Bus.describe': ['bus.describe', options => bus.describe('main', options)],
  'Bus.open': ['bus.open', options => bus.open('other', { source: '' }, options)],
  'Bus.openInspector': ['bus.openInspector', options => bus.openInspector(options)],
  'Bus.resume': ['bus.resume', options => bus.resume(new Uint8Array(1), { value: 1 }, options)],
  'Bus.run': ['bus.run', options => bus.run('1', options)],
  'Channel.send': ['Channel.send', options => channel.send(1, options)],
  'Client.emit': ['command "plugin:event|emit"', options => client.emit('e', 1, options)],
  'Client.emitTo': ['command "plugin:event|emit_to"', options => client.emitTo('x', 'e', 1, options)],
  'Client.invoke': ['command "greet"', options => client.invoke('greet', {}, options)],
  'Client.listen': ['command "plugin:event|listen"', options => client.listen('e', noop, options)],
  'Client.once': ['command "plugin:event|listen"', options => client.once('e', options)],
  'Client.stream': ['command "greet"', options => next(client.stream('greet', {}, options))],
  'EventMethods.emit': ['command "plugin:event|emit"', options => bus.emit('e', 1, options)],
  'EventMethods.emitTo': ['command "plugin:event|emit_to"', options => bus.emitTo('x', 'e', 1, options)],
  'EventMethods.listen': ['command "plugin:event|listen"', options => bus.listen('e', noop, options)],
  'EventMethods.once': ['command "plugin:event|listen"', options => bus.once('e', options)],
  'FrontendFunctions.call': ['function "f"', options => bus.call('main', 'f', {}, options)],
  'FrontendFunctions.stream': ['function "f"', options => next(bus.stream('main', 'f', {}, options))],
  'Plugins.enable': ['plugins.enable', options => plugins.enable('x', options)],
  'Plugins.install': ['plugins.install', options => plugins.install('x@1.0.0', options)],
  'Plugins.uninstall': ['plugins.uninstall', options => plugins.uninstall('x', options)],
  bubblewrap: ['bubblewrap', bubblewrap],
  command: ['command()', options => command(options, noop)],
  connect: ['connect', options => connect({ url: 'http://127.0.0.1:1', ...options })],
  createBus: ['createBus', options => createBus({ core, ...options })],
  createTestBus: ['createTestBus', createTestBus],
  deno: ['deno', deno],
  docker: ['docker', docker],
  emit: ['command "plugin:event|emit"', options => emit('e', 1, options)],
  emitTo: ['command "plugin:event|emit_to"', options => emitTo('x', 'e', 1, options)],
  explainCapabilities: ['explainCapabilities', options => explainCapabilities({ capabilities: [], ...options })],
  instrument: ['instrument', instrument],
  invoke: ['command "greet"', options => invoke('greet', {}, options)],
  issueCredential: ['issueCredential', options => issueCredential(createBusSecret(), { label: 'main', ...options })],
  joinBus: ['joinBus', options => joinBus({ nats, bus: 'shop', credentials: [], ...options })],
  landlock: ['landlock', landlock],
  listen: ['command "plugin:event|listen"', options => listen('e', noop, options)],
  natsNetwork: ['natsNetwork', options => natsNetwork({ nats, bus: 'shop', secret: createBusSecret(), ...options })],
  once: ['command "plugin:event|listen"', options => once('e', options)],
  openMcp: [
    'openMcp',
    options => openMcp(bus, 'far', { command: 'true' }, { home: directory, wall: 'none', ...options }),
  ],
  openPlugins: ['openPlugins', options => openPlugins(bus, { directory, ...options })],
  runHook: ['runHook', options => runHook(new URL('../', import.meta.url), { cmd: 'greet' }, options)],
  serveFrontends: ['serveFrontends', options => serveFrontends(bus, { frontends: { page: {} }, ...options })],
  serveMcp: ['serveMcp', options => serveMcp(bus, { label: 'agent', transport: {}, ...options })],
  startProgram: ['startProgram', options => startProgram({ command: 'true', wall: 'none', ...options })],
  stream: ['command "greet"', options => next(stream('greet', {}, options))],
  toExecutor: ['toExecutor', options => toExecutor(bus, options)],
  toIsolateDriver: ['toIsolateDriver', options => toIsolateDriver(bus, options)],
  toTool: ['toTool', options => toTool(bus, options)],
  toTransport: ['toTransport', options => toTransport(bus, options)],
  ...Object.fromEntries(
    Object.entries(withOptions).map(([name, create]): [string, [string, Call]] => [name, [`${name}()`, create]]),
  ),
}

const refuse = async (call: Call, options: object): Promise<unknown> => {
  try {
    return `returned ${String(await call(options))}`
  } catch (error) {
    return error
  }
}

test('each function that takes options is in the table', () => {
  expect([...lists.keys()].toSorted()).toEqual([...Object.keys(TABLE), ...Object.keys(ELSEWHERE)].toSorted())
})

test('an option that a function does not have is refused', () =>
  rows(TABLE)(async ([subject, call]) => {
    const error = await refuse(call, { mistkae: 1 })
    expect(error).toBeInstanceOf(BusError)
    expect(error).toMatchObject({ reason: 'InvalidParams' })
    expect(String((error as BusError).message)).toContain(`${subject}: unknown option "mistkae"`)
  }))

test('an option of another kind is refused by its name', () =>
  rows(TABLE)(async ([, call], name) => {
    const wrong: string[] = []
    for (const [option, type] of lists.get(name)!) {
      if (ANY.test(type)) continue
      const error = await refuse(call, { [option]: getWrongValue(type) })
      const isNamed = error instanceof BusError && error.reason === 'InvalidParams' && error.message.includes(option)
      if (!isNamed) wrong.push(`${option}: ${String(error)}`)
    }
    expect(wrong).toEqual([])
  }))
