// Which names a piece of JavaScript or TypeScript declares at its top level, by its syntax tree.
import { parseAst } from 'rolldown/parseAst'

export interface Declared {
  values: string[]
  types: string[]
  imported: string[]
  /** Where declarations begin that are not exported. */
  starts: number[]
}

interface Node {
  type: string
  start: number
  name?: string
  id?: Node | null
  local?: Node
  exported?: Node
  declaration?: Node | null
  declarations?: Node[]
  specifiers?: Node[]
  properties?: Node[]
  elements?: (Node | null)[]
  value?: Node
  argument?: Node
  left?: Node
}

const TYPES = ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration']

/** @throws if the code is not a module */
export function declaredIn(code: string, language: string): Declared {
  const declared: Declared = { values: [], types: [], imported: [], starts: [] }
  const { body } = parseAst(code, { lang: language === 'js' ? 'js' : 'ts', sourceType: 'module' }) as unknown as {
    body: Node[]
  }
  for (const node of body) {
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node
    for (const { local, exported } of node.specifiers ?? [])
      if (exported) declared.values.push(exported.name!)
      else declared.imported.push(local!.name!)
    // `declare global` declares names for everybody: there is nothing to import.
    if (!declaration || declaration.type === 'TSModuleDeclaration' || (!declaration.id && !declaration.declarations))
      continue
    if (declaration === node) declared.starts.push(node.start)
    if (declaration.declarations) declared.values.push(...declaration.declarations.flatMap(({ id }) => bound(id)))
    else (TYPES.includes(declaration.type) ? declared.types : declared.values).push(...bound(declaration.id))
  }
  return declared
}

/** The names in a pattern: `{ a, b: [c] }` binds `a` and `c`. */
function bound(node: Node | null | undefined): string[] {
  if (!node) return []
  if (node.name !== undefined) return [node.name]
  const inner = [...(node.properties ?? []), ...(node.elements ?? []), node.value, node.argument, node.left]
  return inner.flatMap(bound)
}
