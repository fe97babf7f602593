// Results of commands as results of tools.
import { type CallToolResult, isSpecType } from '@modelcontextprotocol/server'

/**
 * A text stays, bytes become a binary resource, and anything else is JSON; an object is the structured content too. A value with an array
 * `content` of MCP's blocks is a result already: texts, images, audio and resources.
 */
export function toToolResult(value: unknown): CallToolResult {
  if (isToolResult(value)) return value
  if (value instanceof Uint8Array) {
    const blob = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    const resource = { uri: 'data:application/octet-stream', mimeType: 'application/octet-stream', blob }
    return { content: [{ type: 'resource', resource }] }
  }
  if (value === undefined || value === null) return { content: [] }
  const content = [{ type: 'text' as const, text: typeof value === 'string' ? value : JSON.stringify(value) }]
  if (typeof value !== 'object' || Array.isArray(value)) return { content }
  return { content, structuredContent: value as Record<string, unknown> }
}

const isToolResult = (value: unknown): value is CallToolResult =>
  Array.isArray(Object(value).content) && isSpecType.CallToolResult(value)

/** Returns a failed call as a result, which a model can read: a tool that failed is no failure of the protocol. */
export function toToolError(error: unknown): CallToolResult {
  const { reason, commandCode, message } = error as { reason?: string; commandCode?: string; message?: string }
  const name = commandCode ?? reason
  const text = name === undefined ? String(message ?? error) : `${name}: ${message}`
  return { content: [{ type: 'text', text }], isError: true }
}
