// A use of each package in a script, which cannot import packages: each is bundled with esbuild as the guide says, from the text of its
// function, so a function uses nothing outside of itself. Each returns a value that JSON represents, and that is the same in any engine.
import { working } from './uses.mjs'

/** Uses that are the same as those of a plugin. */
const shared =
  '@babel/core @noble/curves acorn ajv cheerio commander dayjs fast-xml-parser fflate handlebars isomorphic-git jsonwebtoken jszip linkedom lodash marked nanoid pug semver sucrase terser uuid zod'

export const bundled = {
  ...Object.fromEntries(shared.split(' ').map(name => [name, working[name]])),
  qs: async () => {
    const { default: qs } = await import('qs')
    return [qs.parse('a[b]=1&c[]=2&c[]=3'), qs.stringify({ a: { b: [1, 2] } })]
  },
  katex: async () => (await import('katex')).default.renderToString('\\frac{a}{b}+\\sqrt{2}'),
  '@modelcontextprotocol/sdk': async () => {
    const { McpServer } = await import('@modelcontextprotocol/sdk/server/mcp.js')
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
    const { InMemoryTransport } = await import('@modelcontextprotocol/sdk/inMemory.js')
    const { z } = await import('zod')
    const server = new McpServer({ name: 's', version: '1.0.0' })
    server.registerTool('add', { inputSchema: { a: z.number() } }, async ({ a }) => ({
      content: [{ type: 'text', text: String(a + 1) }],
    }))
    const client = new Client({ name: 'c', version: '1.0.0' })
    const [a, b] = InMemoryTransport.createLinkedPair()
    await Promise.all([server.connect(a), client.connect(b)])
    return client.callTool({ name: 'add', arguments: { a: 1 } })
  },
  ai: async () => {
    const { tool, jsonSchema, parsePartialJson } = await import('ai')
    return [await parsePartialJson('{"a":[1,2'), Object.keys(tool({ inputSchema: jsonSchema({ type: 'object' }) }))]
  },
  'markdown-it': async () => (await import('markdown-it')).default().render('# x\n\n| a | b |\n|--|--|\n| 1 | 2 |'),
  'remark-parse': async () => {
    const { unified } = await import('unified')
    const { default: parse } = await import('remark-parse')
    return unified().use(parse).parse('# x *y*').children.length
  },
  unified: async () => {
    const { unified } = await import('unified')
    return unified().data('a', 1).data('a')
  },
  'highlight.js': async () =>
    (await import('highlight.js')).default.highlight('const a = 1', { language: 'javascript' }).value,
  'sanitize-html': async () => (await import('sanitize-html')).default('<b onclick=x>a</b><script>y</script>'),
  liquidjs: async () =>
    new (await import('liquidjs')).Liquid().parseAndRender('{{ a | upcase }}{% for i in b %}{{i}}{% endfor %}', {
      a: 'x',
      b: [1, 2],
    }),
  nunjucks: async () =>
    (await import('nunjucks')).default.renderString('{% for i in b %}{{ i }}{% endfor %}', { b: [1, 2] }),
  typescript: async () => {
    const { default: ts } = await import('typescript')
    return ts.transpile('let a: number = 1; enum B { C }')
  },
  vue: async () => {
    const { createSSRApp, h } = await import('vue')
    const { renderToString } = await import('vue/server-renderer')
    return renderToString(createSSRApp({ render: () => h('b', 'y') }))
  },
  bluebird: async () => (await import('bluebird')).default.map([1, 2], x => x * 2).then(x => x),
  bottleneck: async () => {
    const { default: B } = await import('bottleneck')
    return new B({ maxConcurrent: 1 }).schedule(async () => 1)
  },
  yargs: async () => (await import('yargs')).default(['--a', '1']).parse(),
  '@iarna/toml': async () => (await import('@iarna/toml')).default.parse('a = 1\n[b]\nc = "d"'),
  bcryptjs: async () => {
    const { default: b } = await import('bcryptjs')
    return b.compareSync('x', b.hashSync('x', 4))
  },
  tweetnacl: async () => {
    const { default: nacl } = await import('tweetnacl')
    const [key, nonce] = [32, 24].map(nacl.randomBytes)
    return [...nacl.secretbox.open(nacl.secretbox(new Uint8Array([1]), nonce, key), nonce, key)]
  },
  'crypto-js': async () => {
    const { default: C } = await import('crypto-js')
    return [C.SHA256('x').toString(), C.AES.decrypt(C.AES.encrypt('x', 'k'), 'k').toString(C.enc.Utf8)]
  },
  'lodash-es': async () => (await import('lodash-es')).groupBy([1, 2, 3], x => x % 2),
  ejs: async () => (await import('ejs')).default.render('<% for (const i of b) { %><%= i %><% } %>', { b: [1, 2] }),
  'zone.js': async () => {
    await import('zone.js')
    return globalThis.Zone.current
      .fork({ name: 'z' })
      .run(() => Promise.resolve().then(() => globalThis.Zone.current.name))
  },
  'reflect-metadata': async () => {
    await import('reflect-metadata')
    const a = {}
    Reflect.defineMetadata('k', 1, a)
    return Reflect.getMetadata('k', a)
  },
  turndown: async () => new (await import('turndown')).default().turndown('<b>x</b>'),
  graphql: async () => {
    const { graphql, buildSchema } = await import('graphql')
    return graphql({ schema: buildSchema('type Query { a: Int }'), source: '{ a }', rootValue: { a: 1 } })
  },
  mustache: async () => (await import('mustache')).default.render('{{#a}}{{.}}{{/a}}', { a: [1, 2] }),
  pako: async () => {
    const { default: pako } = await import('pako')
    return pako.inflate(pako.deflate('text'), { to: 'string' })
  },
  yaml: async () => {
    const { parse, stringify } = await import('yaml')
    return [parse('a: [1, {b: 2}]\nc: |\n  x'), stringify({ a: [1] })]
  },
  'js-yaml': async () => (await import('js-yaml')).load('a: [1, {b: 2}]'),
  ini: async () => (await import('ini')).parse('a=1\n[b]\nc=2'),
  'csv-parse': async () => (await import('csv-parse/browser/esm/sync')).parse('a,b\n1,"2,3"', { columns: true }),
  papaparse: async () => (await import('papaparse')).default.parse('a,b\n1,"2,3"', { header: true }).data,
  immer: async () => (await import('immer')).produce({ a: [1] }, draft => void draft.a.push(2)),
  immutable: async () => (await import('immutable')).Map({ a: 1 }).set('b', 2).toJS(),
  xstate: async () => {
    const { createActor, createMachine } = await import('xstate')
    const actor = createActor(createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } })).start()
    actor.send({ type: 'go' })
    return actor.getSnapshot().value
  },
  zustand: async () => {
    const { createStore } = await import('zustand/vanilla')
    const store = createStore(set => ({ n: 0, up: () => set(s => ({ n: s.n + 1 })) }))
    store.getState().up()
    return store.getState().n
  },
  redux: async () => {
    const { legacy_createStore } = await import('redux')
    const store = legacy_createStore((s = 0, a) => (a.type === 'up' ? s + 1 : s))
    store.dispatch({ type: 'up' })
    return store.getState()
  },
  'd3-array': async () => (await import('d3-array')).bin()([1, 2, 3, 4]).length,
  'd3-scale': async () => (await import('d3-scale')).scaleLinear([0, 10], [0, 1])(5),
  'bignumber.js': async () => new (await import('bignumber.js')).default('0.1').plus('0.2').toFixed(),
  'decimal.js': async () => new (await import('decimal.js')).default(2).sqrt().toString(),
  'big.js': async () => new (await import('big.js')).default('0.1').plus('0.2').toString(),
  'fuse.js': async () => new (await import('fuse.js')).default(['apple', 'pear']).search('aple')[0].item,
  lunr: async () => {
    const { default: lunr } = await import('lunr')
    return lunr(function () {
      this.field('t')
      this.add({ id: 1, t: 'running dogs' })
    }).search('dog')[0].ref
  },
  minisearch: async () => {
    const { default: Mini } = await import('minisearch')
    const mini = new Mini({ fields: ['t'] })
    mini.add({ id: 1, t: 'running dogs' })
    return mini.search('dog', { prefix: true })[0].id
  },
  superjson: async () => {
    const { default: s } = await import('superjson')
    return s.stringify({ a: new Date(0), b: new Set([1]) })
  },
  devalue: async () => (await import('devalue')).stringify({ a: new Date(0), b: new Map([[1, 2]]) }),
  msgpackr: async () => {
    const { pack, unpack } = await import('msgpackr')
    return unpack(pack({ a: [1, 'x'] }))
  },
  valibot: async () => {
    const v = await import('valibot')
    return v.parse(v.object({ a: v.pipe(v.string(), v.email()) }), { a: 'a@b.co' })
  },
  yup: async () => (await import('yup')).object({ a: (await import('yup')).number().required() }).validate({ a: '1' }),
  joi: async () => {
    const { default: Joi } = await import('joi')
    return Joi.object({ a: Joi.number() }).validate({ a: '1' }).value
  },
  superstruct: async () => {
    const { object, string, is } = await import('superstruct')
    return is({ a: 'x' }, object({ a: string() }))
  },
  'chroma-js': async () => (await import('chroma-js')).default('red').darken().hex(),
  slugify: async () => (await import('slugify')).default('Ünïcode test', { lower: true }),
  validator: async () => {
    const { default: v } = await import('validator')
    return ['a@b.co', 'x'].map(each => v.isEmail(each))
  },
  'cron-parser': async () => {
    const { CronExpressionParser } = await import('cron-parser')
    return CronExpressionParser.parse('0 0 * * *', { currentDate: '2020-01-01T12:00:00Z', tz: 'UTC' })
      .next()
      .toISOString()
  },
  rrule: async () => {
    const { rrulestr } = (m => m.default ?? m)(await import('rrule'))
    return rrulestr('DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;COUNT=3')
      .all()
      .map(d => d.toISOString())
  },
  ms: async () => (await import('ms')).default('2 days'),
  he: async () => (await import('he')).default.decode('&lt;&eacute;'),
  entities: async () => (await import('entities')).encodeHTML('<é>'),
  peggy: async () => (await import('peggy')).default.generate('start = "a"+ { return 1 }').parse('aa'),
  jmespath: async () => (await import('jmespath')).default.search({ a: [{ b: 1 }, { b: 2 }] }, 'a[].b'),
  jsonata: async () => (await import('jsonata')).default('$sum(a.b)').evaluate({ a: [{ b: 1 }, { b: 2 }] }),
  diff: async () => (await import('diff')).createPatch('f', 'a\nb\n', 'a\nc\n'),
  'fast-json-patch': async () =>
    (m => m.default ?? m)(await import('fast-json-patch')).compare({ a: 1 }, { a: 2, b: 3 }),
  deepmerge: async () => (await import('deepmerge')).default({ a: [1] }, { a: [2], b: 1 }),
  'object-hash': async () => (await import('object-hash')).default({ a: 1, b: [2] }),
  eventemitter3: async () => {
    const { EventEmitter } = await import('eventemitter3')
    const e = new EventEmitter()
    let n = 0
    e.once('x', v => (n += v))
    e.emit('x', 2)
    e.emit('x', 2)
    return n
  },
  mitt: async () => {
    const { default: mitt } = await import('mitt')
    const e = mitt()
    let n = 0
    e.on('x', v => (n += v))
    e.emit('x', 2)
    return n
  },
  'p-limit': async () => {
    const { default: limit } = await import('p-limit')
    const run = limit(1)
    return Promise.all([1, 2].map(x => run(async () => x)))
  },
  'p-queue': async () => {
    const { default: Q } = await import('p-queue')
    const q = new Q({ concurrency: 1 })
    return Promise.all([1, 2].map(x => q.add(async () => x)))
  },
  'lru-cache': async () => {
    const { LRUCache } = await import('lru-cache')
    const c = new LRUCache({ max: 1, ttl: 10000 })
    c.set('a', 1)
    c.set('b', 2)
    return [c.get('a') ?? null, c.get('b')]
  },
  pluralize: async () => (await import('pluralize')).default('index'),
  'change-case': async () => (await import('change-case')).camelCase('a-b c'),
  'fastest-levenshtein': async () => (await import('fastest-levenshtein')).distance('kitten', 'sitting'),
  seedrandom: async () => (await import('seedrandom')).default('x')(),
  escodegen: async () => {
    const { default: g } = await import('escodegen')
    const { parseScript } = await import('esprima')
    return g.generate(parseScript('let a = 1'))
  },
  esprima: async () => (await import('esprima')).tokenize('a --> b').length,
  'magic-string': async () => {
    const { default: M } = await import('magic-string')
    const m = new M('abc')
    m.overwrite(1, 2, 'x')
    return [m.toString(), m.generateMap({ hires: true }).mappings]
  },
  postcss: async () => {
    const { default: p } = await import('postcss')
    return p.parse('a { b: c }').nodes[0].selector
  },
  'css-tree': async () => {
    const c = await import('css-tree')
    return c.generate(c.parse('a { b : c }'))
  },
  hono: async () => {
    const { RegExpRouter } = await import('hono/router/reg-exp-router')
    const r = new RegExpRouter()
    r.add('GET', '/a/:id', 1)
    return r.match('GET', '/a/2')
  },
  'path-to-regexp': async () => (await import('path-to-regexp')).match('/a/:id')('/a/2'),
  qrcode: async () => (await import('qrcode')).default.toString('x', { type: 'svg' }),
  'ical.js': async () => (await import('ical.js')).default.parse('BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR'),
}
