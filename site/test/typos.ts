// A page with mistakes, to show that they are found: it is checked along with the real ones.
export const PAGE = 'docs/typos.md'

export const TEXT = `
\`\`\`js
bus.emitt('news', payload)
\`\`\`

\`\`\`js
import { creatBus } from '@sallyport/core'
\`\`\`

<!-- within: createBus({ core, … }) -->
\`\`\`js
frontend: { main: module },
\`\`\`

\`\`\`js
await invoke('greet', { name: 'World' }, { timeuot: 1000 })
\`\`\`

\`\`\`js
// core.mjs
import { defineCore } from '@sallyport/core'

export default defineCore({ comands: {} })
\`\`\`

\`\`\`ts
const api = createClient<typeof import('./core.mjs').default>()
const twice = (x) => x
bus.on('denyed', () => {})
\`\`\`

\`\`\`sh
npm run no-such-script
npx sallyport acl src-tauri --cor core.js   # --core
node nowhere.mjs && no-such-program
npm install @sallyport/cor
npx sallyport-bench --filter burst
npm --prefix ../sallyport run bench -- --filtr burst
npm install ../sallyport/packages/cor
\`\`\`
`

/** Where TypeScript finds something. */
export const FOUND = [3, 7, 12, 16, 23, 27, 28, 29].map(line => `${PAGE}:${line}`)

export const SHELL = [
  'docs/typos.md:33: no script no-such-script',
  'docs/typos.md:34: sallyport has no option --cor',
  'docs/typos.md:35: no file nowhere.mjs on this page or in the repository',
  'docs/typos.md:35: no program no-such-program',
  'docs/typos.md:36: nothing here uses @sallyport/cor: a package.json of the workspace names what the docs name',
  'docs/typos.md:37: npx fetches a package named sallyport-bench: write npx -p @sallyport/bench sallyport-bench',
  'docs/typos.md:38: sallyport-bench has no option --filtr',
  'docs/typos.md:39: no directory ../sallyport/packages/cor',
]
