// How the search of the site matches and ranks. VitePress sends these functions to the browser as text, so each of them stands alone.

/** Returns the form in which a word is indexed and searched for; `null` for words that say nothing about a page. */
const processTerm = (word: string): string | null => {
  const stopWords =
    ' a an and are as at be by can do does for from how i if in into is it its my of on or out that the this to use was what when which why will with you your '
  // What people search for, and what the pages call it.
  const synonyms =
    'quickstart:start tutorial:start started:start oom:memory faq:troubleshoot claude:mcp cursor:mcp singleton:frontend prometheus:opentelemetry metrics:observability'
  const term = word.toLowerCase().replaceAll(/^\W+|\W+$/g, '')
  if (term === '' || stopWords.includes(` ${term} `)) return null
  const synonym = synonyms.split(' ').find(pair => pair.startsWith(`${term}:`))
  if (synonym) return synonym.slice(term.length + 1)
  // Endings: logging and logs are log, debugging is debug, sandboxing is sandbox, deployment is deploy.
  const stem = /^[a-z]{4,}$/.test(term) ? term.replace(/(?:ments?|ings?|ed|s)$/, '') : term
  return stem.length < 3 ? term : stem.replace(/([bdgmnprt])\1$/, '$1').replace(/(?<=..)e$/, '')
}

/** Words that begin with a term match it only if the term has four letters or more. */
const prefix = (term: string): boolean => term.length >= 4

/** Misspelt words match terms of six letters or more. */
const fuzzy = (term: string): number | false => (term.length >= 6 ? 0.2 : false)

/** Guides come first, then reference; internals, decisions and the project's own pages come last. `id` is the address of a section. */
const boostDocument = (id: string): number => {
  if (id.startsWith('/guide/')) return 1
  if (id.startsWith('/reference/')) return 0.6
  return id.startsWith('/api/') ? 0.1 : 0.05
}

/** Options of MiniSearch for the index, which is made at build, and for a search. */
export const miniSearch = {
  options: { processTerm },
  searchOptions: { prefix, fuzzy, boostDocument, boost: { title: 8, titles: 3, text: 1 } },
}
