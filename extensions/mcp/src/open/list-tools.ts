// The list of tools of a server of others: bounded, and repaired where one tool would cost others.
import type { Tool } from '@modelcontextprotocol/client'
import { isObject } from '@sallyport/protocol/internal/util'

/** Tools that a server can have, and pages, characters and values in which it lists them. */
const MAX_TOOLS = 1000
const MAX_PAGES = 64
const MAX_CHARACTERS = 2 * 2 ** 20
const MAX_VALUES = 100_000

/** What a server says of one tool must not cost others, and the schema of its results is not needed to call it. */
const repairTool = ({ description, inputSchema, ...tool }: Tool): Tool => ({
  ...tool,
  ...(typeof description === 'string' && { description }),
  // The members of a text would be its characters.
  inputSchema: { ...(isObject(inputSchema) && inputSchema), type: 'object' },
})

/** Returns the tools of a page. What has no name is none. */
export const repairTools = (tools: readonly Tool[]): Tool[] =>
  tools.filter(tool => typeof Object(tool).name === 'string').map(repairTool)

/** @param request - asks for the page at a cursor. @throws {Error} for what is no list, or too long */
export async function readTools(request: (cursor: string | undefined) => Promise<object>): Promise<readonly Tool[]> {
  const all: Tool[] = []
  let [characters, values] = [0, 0]
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const { tools, nextCursor } = (await request(cursor)) as { tools?: readonly Tool[]; nextCursor?: unknown }
    if (!Array.isArray(tools)) throw new Error('it listed no tools')
    if (all.length + tools.length > MAX_TOOLS) throw new Error(`it has more than ${MAX_TOOLS} tools`)
    all.push(...repairTools(tools))
    characters += JSON.stringify(tools).length
    if (characters > MAX_CHARACTERS) throw new Error(`it describes its tools in more than ${MAX_CHARACTERS} characters`)
    values += countValues(tools)
    if (values > MAX_VALUES) throw new Error(`it describes its tools in more than ${MAX_VALUES} values`)
    if (typeof nextCursor !== 'string') return all
    cursor = nextCursor
  }
  throw new Error(`it lists its tools in more than ${MAX_PAGES} pages`)
}

/** A message has 64 levels at most. */
const countValues = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce((sum: number, member) => sum + countValues(member), 1)
    : 1

/**
 * Linear in the length of the name, which a foreign server chooses.
 *
 * @param glob - a name with `*` for any text
 */
export function matches(glob: string, tool: string): boolean {
  const [first = '', ...parts] = glob.split('*')
  const last = parts.pop()
  if (last === undefined) return tool === glob
  if (!tool.startsWith(first) || !tool.endsWith(last)) return false
  let at = first.length
  for (const part of parts) {
    const found = tool.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at + last.length <= tool.length
}
