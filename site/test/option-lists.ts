// The functions of the public API that take options, and the options of each with their types, as the API reports have them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'

const ROOT = new URL('../../', import.meta.url)
const list = (path: string): string[] => readdirSync(new URL(path, ROOT))
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const TAKES_OPTIONS = /^(options|settings)$|(^|\W)\w*Options\b/

const parse = (text: string): readonly ts.Statement[] =>
  ts.createSourceFile('report.ts', text, ts.ScriptTarget.Latest, true).statements
/** Options that public functions take, and that no report declares. */
const ELSEWHERE = ['packages/protocol/src/rpc/call-options.ts', 'packages/core/src/options/types.ts']

/** The type of each option, by its name. */
export type Options = Map<string, string>

type Declared = ts.InterfaceDeclaration | ts.TypeAliasDeclaration

const declared = new Map<string, Declared>()

/** Returns the options of each function, by `invoke`, `Bus.connect` or, of an entry of its own, `launchers: docker`. */
export function readOptionLists(): ReadonlyMap<string, Options> {
  const found = new Map<string, Options>()
  const folders = ['packages', 'extensions'].flatMap(top => list(top).map(name => `${top}/${name}/etc`))
  const reports = folders.filter(folder => existsSync(new URL(folder, ROOT)))
  const paths = reports.flatMap(folder => list(folder).map(name => `${folder}/${name}`))
  const reported = paths.flatMap(path => parse(read(path).split('```')[1]!.replace(/^ts/, '')))
  for (const each of [...reported, ...ELSEWHERE.flatMap(path => parse(read(path)))]) {
    if (ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each)) declared.set(each.name.text, each)
  }
  for (const each of reported) {
    if (ts.isFunctionDeclaration(each)) addOptions(found, each.name!.text, each)
    if (ts.isClassDeclaration(each) || ts.isInterfaceDeclaration(each)) {
      for (const member of each.members) {
        const name = member.name?.getText()
        const isCalled = ts.isMethodDeclaration(member) || ts.isMethodSignature(member)
        if (isCalled) addOptions(found, `${each.name!.text}.${name}`, member)
      }
    }
  }
  return found
}

function addOptions(found: Map<string, Options>, key: string, { parameters }: ts.SignatureDeclarationBase): void {
  for (const { name, type } of parameters) {
    if (type === undefined || ![name.getText(), type.getText()].some(text => TAKES_OPTIONS.test(text))) continue
    // The report calls a class so whose name an alias has.
    const place = key.replace(/_\d(?=$|\.)/, '')
    const options = found.get(place) ?? new Map<string, string>()
    for (const [option, text] of readMembers(type)) options.set(option, text)
    found.set(place, options)
  }
}

/** Returns the members of a type. It resolves no more than the reports need. */
function readMembers(type: ts.Node): Options {
  if (ts.isIntersectionTypeNode(type)) return new Map(type.types.flatMap(each => [...readMembers(each)]))
  if (ts.isTypeLiteralNode(type)) return toMembers(type.members)
  if (ts.isConditionalTypeNode(type)) {
    return new Map([type.trueType, type.falseType].flatMap(each => [...readMembers(each)]))
  }
  if (ts.isTupleTypeNode(type)) {
    const named = type.elements.filter(ts.isNamedTupleMember).filter(({ name }) => name.text === 'options')
    return new Map(named.flatMap(each => [...readMembers(each.type)]))
  }
  if (ts.isTypeAliasDeclaration(type)) return readMembers(type.type)
  if (ts.isInterfaceDeclaration(type)) {
    const bases = type.heritageClauses?.flatMap(({ types }) => [...types]) ?? []
    return new Map([...bases.flatMap(each => [...readMembers(each)]), ...toMembers(type.members)])
  }
  if (!ts.isTypeReferenceNode(type) && !ts.isExpressionWithTypeArguments(type)) {
    throw new Error(`The options ${type.getText()} of a report could not be read. Teach readMembers this kind of type.`)
  }
  const name = (ts.isTypeReferenceNode(type) ? type.typeName : type.expression).getText()
  const [of, keys] = type.typeArguments ?? []
  // The arguments of a typed call, after which come its options.
  if (name === 'CallParameters') return readMembers(type.typeArguments!.at(-1)!)
  if (name === 'Pick' || name === 'Omit') {
    const names = new Set([...keys!.getText().matchAll(/'(\w+)'/g)].map(([, key]) => key!))
    return new Map([...readMembers(of!)].filter(([member]) => names.has(member) === (name === 'Pick')))
  }
  const declaration = declared.get(name.replace(/_\d$/, ''))
  if (!declaration) throw new Error(`The reports do not declare the options ${name}.`)
  return readMembers(declaration)
}

const toMembers = (members: ts.NodeArray<ts.TypeElement>): Options =>
  new Map(
    members.map(member => [
      member.name!.getText(),
      ts.isPropertySignature(member) ? member.type!.getText() : '() => unknown',
    ]),
  )
