// A script has no modules, but the exports of `@sallyport/frontend` are its global `sallyport`: imports of that package, in front of all
// other code, become variables. So the same code runs in each sandbox.

const BLANK = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)*/y
const IMPORT =
  /import(?:\s*\{([^{}]*)\}\s*from|\s*\*\s*as\s+([\w$]+)\s+from)?\s*(["'])@sallyport\/frontend\3[^\S\n]*;?/y
const COMMENT = /\/\/[^\n]*|\/\*[^]*?\*\//g

/** Returns the script with blanks in the place of such imports, and what declares their names. */
export function replaceImports(text: string): { declaration: string; text: string } {
  let declaration = ''
  let replaced = ''
  for (let end = 0; ;) {
    BLANK.lastIndex = end
    BLANK.test(text)
    IMPORT.lastIndex = BLANK.lastIndex
    const [found, names, namespace] = IMPORT.exec(text) ?? []
    if (found === undefined) return { declaration, text: replaced + text.slice(end) }
    if (names !== undefined) {
      declaration += `const {${names
        .replaceAll(COMMENT, '')
        .replaceAll(/\s+as\s+/g, ': ')
        .replaceAll(/\s+/g, ' ')}} = sallyport; `
    }
    if (namespace !== undefined) declaration += `const ${namespace} = sallyport; `
    replaced += text.slice(end, IMPORT.lastIndex - found.length) + found.replaceAll(/[^\n]/g, ' ')
    end = IMPORT.lastIndex
  }
}
