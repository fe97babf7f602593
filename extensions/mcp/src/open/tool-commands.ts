// The accepted tools of a server as commands of a core plugin.
import type { CallToolResult, Tool } from '@modelcontextprotocol/client'
import type { AddedCommand, HostLog } from '@sallyport/core/internal'
import { getTypeName, isObject, isPlainObject, toPlainText } from '@sallyport/protocol/internal/util'
import { type AddedPlugin, BusError, type Channel, command, CommandError } from '@sallyport/core'
import { toJsonMembers } from '../shared/json.js'
import { describeOnly, findShared, PROGRESS_ARGUMENT, type Unserved } from '../shared/tools.js'
import type { ServerLife } from './server-life.js'

const MAX_NAME_LENGTH = 128
/** Levels of a tool: a message of core has 64, some of which are around it. */
const MAX_LEVELS = 48

/** `read_file` stays, `files/read` becomes `files_read`. */
const toCommandName = (tool: string): string => tool.replaceAll(/[^A-Za-z0-9_.-]/g, '_')

const toPermission = (tool: string): string => `allow-${toCommandName(tool).replaceAll('_', '-')}`

/** Returns why tools can be no commands, by their names. @param hasHttp - whether arguments can be sent in headers */
export function findUnserved(server: string, tools: readonly Tool[], hasHttp: boolean): Unserved {
  const faulty = tools.flatMap(tool => {
    const fault = findFault(tool, hasHttp)
    return fault === undefined ? [] : [[tool.name, fault] as const]
  })
  const unserved = new Map(faulty)
  const names = tools.map(({ name }) => name).filter(name => !unserved.has(name))
  return new Map([...unserved, ...findShared(names, 'permission', name => `${server}:${toPermission(name)}`)])
}

function findFault(tool: Tool, hasHttp: boolean): string | undefined {
  const { length } = tool.name
  if (length === 0 || length > MAX_NAME_LENGTH || toCommandName(tool.name) === '__proto__')
    return `its name is not 1 to ${MAX_NAME_LENGTH} characters, or is "__proto__"`
  if (!isSendable(tool)) return `it is nested deeper than ${MAX_LEVELS}, or has a member "__proto__"`
  return hasHttp && !hasValidHeaders(tool.inputSchema) ? 'its "x-mcp-header" is invalid' : undefined
}

const isSendable = (value: unknown, levels = MAX_LEVELS): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 &&
    !Object.hasOwn(value, '__proto__') &&
    Object.values(value).every(member => isSendable(member, levels - 1)))

const HEADER = 'x-mcp-header'
const HEADER_TYPES: readonly unknown[] = ['string', 'integer', 'boolean']
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Returns false if a client must leave a tool out: a header has a name of its own, and is a text, an integer or a boolean below names alone. */
function hasValidHeaders(schema: unknown, isReachable = true, names: Set<string> = new Set()): boolean {
  if (typeof schema !== 'object' || schema === null) return true
  const { [HEADER]: name, properties, ...rest } = schema as Record<string, unknown>
  if (name !== undefined) {
    if (typeof name !== 'string' || !TOKEN.test(name) || names.has(name.toLowerCase())) return false
    if (!isReachable || !HEADER_TYPES.includes(rest['type'])) return false
    names.add(name.toLowerCase())
  }
  const areValid = (children: unknown, reachable: boolean): boolean =>
    typeof children !== 'object' || Object.values(children ?? {}).every(each => hasValidHeaders(each, reachable, names))
  return areValid(properties, isReachable) && areValid(rest, false)
}

export interface ToolCommandsOptions {
  /** Name of the server. */
  readonly name: string
  readonly tools: readonly Tool[]
  readonly timeout: number
  readonly server: ServerLife
  readonly log: HostLog
  /** Returns why a tool is refused. */
  readonly getRefusal: (tool: string) => string | undefined
}

/** Returns a plugin without `teardown`: `plugin:<name>|<tool>`, with all of its tools as `default`. */
export function createToolPlugin(options: ToolCommandsOptions): AddedPlugin {
  const { name, tools } = options
  const commands = Object.fromEntries(tools.map(tool => [toCommandName(tool.name), toCommand(tool, options)]))
  return { name, commands, permissions: [{ default: { permissions: tools.map(tool => toPermission(tool.name)) } }] }
}

function toCommand(tool: Tool, options: ToolCommandsOptions): AddedCommand {
  const { name, description, inputSchema, outputSchema } = tool
  const { server, getRefusal, timeout, log } = options
  const subject = `The tool ${toPlainText(JSON.stringify(name))} of the MCP server ${JSON.stringify(options.name)}`
  const { properties: own } = inputSchema
  const properties = { ...(isObject(own) && own), [PROGRESS_ARGUMENT]: {} }
  // The server checks its arguments itself.
  const args = describeOnly({ ...inputSchema, properties })
  let hasWarned = false
  const run = async (given: Record<string, unknown>, context: unknown): Promise<unknown> => {
    const { signal } = context as { signal: AbortSignal }
    const refusal = getRefusal(name)
    if (refusal !== undefined) throw new BusError('Denied', `${subject} was refused: ${refusal}`)
    const { [PROGRESS_ARGUMENT]: progress, ...rest } = given
    const own = toJsonMembers(rest)
    let sent = Promise.resolve()
    const onProgress = (value: unknown): void => {
      if (isChannel(progress)) sent = progress.send(value).catch(() => {})
    }
    const deadline = { signal, timeout, onProgress }
    const result = await server.call(subject, tool, own, deadline)
    // The channel ends with the call.
    await sent
    const mismatch = result.isError ? undefined : findMismatch(outputSchema, result.structuredContent)
    if (mismatch !== undefined && !hasWarned) {
      hasWarned = true
      const remedy = 'Its results are passed on as they are; have the server repaired.'
      log.warn(`${subject} broke its output schema: ${mismatch}. ${remedy}`)
    }
    return toValue(subject, result)
  }
  return command({ ...(description !== undefined && { description }), args }, run)
}

const isChannel = (value: unknown): value is Channel => typeof (value as Channel | undefined)?.send === 'function'

/** Returns `{ content, structuredContent }` of a result, whose form nobody has checked. @throws {CommandError} TOOL_FAILED, with the text for the model */
function toValue(subject: string, result: Partial<CallToolResult>): unknown {
  const fault = findResultFault(result)
  if (fault !== undefined) throw new CommandError('TOOL_FAILED', `${subject} ran, and its result was refused: ${fault}`)
  const { content = [], structuredContent, isError } = result
  if (!isError) return { content, ...(structuredContent !== undefined && { structuredContent }) }
  const texts = [content].flat().flatMap(block => toTexts(Object(block).text))
  throw new CommandError('TOOL_FAILED', texts.join('\n') || `${subject} failed`, { data: content })
}

/** What another kind of result says is not nothing. A member `__proto__` would be an error of the host's own command. */
function findResultFault(result: Partial<CallToolResult>): string | undefined {
  const { content, structuredContent } = result
  const other = ['task', 'toolResult'].find(name => Object.hasOwn(result, name))
  if (other !== undefined && content === undefined && structuredContent === undefined)
    return `it has "${other}" in place of "content"`
  return isSendable(result, Infinity) ? undefined : 'it has a member "__proto__"'
}

/** Returns how a result differs from its schema, in types and required members alone: a pattern of others could take the host for ever. */
function findMismatch(schema: unknown, value: unknown, place = 'structuredContent'): string | undefined {
  if (!isPlainObject(schema)) return undefined
  if (value === undefined) return `${place} is missing`
  const types = toTexts(schema['type'])
  if (types.length > 0 && !types.some(type => isOfType(value, type))) return `${place} is not of type ${types.join()}`
  if (!isPlainObject(value)) return undefined
  const missing = toTexts(schema['required']).find(name => !Object.hasOwn(value, name))
  if (missing !== undefined) return `${place}.${missing} is missing`
  const { properties } = schema
  const members = isObject(properties) ? Object.entries(properties).filter(([name]) => Object.hasOwn(value, name)) : []
  const mismatches = members.map(([name, member]) => findMismatch(member, value[name], `${place}.${name}`))
  return mismatches.find(mismatch => mismatch !== undefined)
}

const toTexts = (value: unknown): string[] => [value].flat().filter(each => typeof each === 'string')

const isOfType = (value: unknown, type: string): boolean =>
  type === 'integer' ? Number.isInteger(value) : getTypeName(value).toLowerCase() === type
