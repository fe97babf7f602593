// A use of each package. Each returns a value that does not depend on the time or the machine.
import fs from 'node:fs'

/** Packages that work in a sandbox as in plain Node. */
export const working = {
  '@babel/core': async () => {
    const { default: babel } = await import('@babel/core')
    return babel.transformSync('const a = 1', { configFile: false, babelrc: false, compact: true }).code
  },
  '@noble/curves': async () => {
    const { ed25519 } = await import('@noble/curves/ed25519.js')
    const key = ed25519.utils.randomSecretKey()
    return ed25519.verify(ed25519.sign(new Uint8Array(1), key), new Uint8Array(1), ed25519.getPublicKey(key))
  },
  acorn: async () => (await import('acorn')).parse('let a', { ecmaVersion: 2024 }).body.length,
  ajv: async () => {
    const { Ajv } = await import('ajv')
    return ['a', 1].map(value => new Ajv().validate({ type: 'string' }, value))
  },
  cheerio: async () => (await import('cheerio')).load('<b>x</b>')('b').text(),
  commander: async () => new (await import('commander')).Command().option('-a').parse(['-a'], { from: 'user' }).opts(),
  chokidar: async () => {
    const { watch } = await import('chokidar')
    // A wall denies inotify.
    const watcher = watch(new URL(import.meta.url).pathname, { usePolling: true })
    await new Promise((resolve, reject) => watcher.on('error', reject).on('ready', resolve))
    await watcher.close()
    return true
  },
  cosmiconfig: async () => {
    const { defaultLoadersSync } = await import('cosmiconfig')
    return defaultLoadersSync['.json']('a.json', '{ "a": 1 }')
  },
  dayjs: async () => (await import('dayjs')).default('2020-01-01').add(1, 'day').format('YYYY-MM-DD'),
  'env-paths': async () => Object.keys((await import('env-paths')).default('x')).length,
  'fast-xml-parser': async () => new (await import('fast-xml-parser')).XMLParser().parse('<a><b>1</b></a>'),
  fastify: async () => {
    const { default: fastify } = await import('fastify')
    const app = fastify({ logger: true })
    app.get('/', () => 'hello')
    return (await app.inject('/')).body
  },
  fflate: async () => {
    const { gunzipSync, gzipSync, strFromU8, strToU8 } = await import('fflate')
    return strFromU8(gunzipSync(gzipSync(strToU8('text'))))
  },
  handlebars: async () => (await import('handlebars')).default.compile('{{a}}')({ a: 1 }),
  'isomorphic-git': async () => {
    const { hashBlob } = await import('isomorphic-git')
    return (await hashBlob({ object: 'x' })).oid
  },
  jsonwebtoken: async () => {
    const { default: jwt } = await import('jsonwebtoken')
    return jwt.verify(jwt.sign({ a: 1 }, 'key', { noTimestamp: true }), 'key')
  },
  jszip: async () => {
    const { default: Zip } = await import('jszip')
    const bytes = await new Zip().file('a', 'text').generateAsync({ type: 'uint8array' })
    return (await Zip.loadAsync(bytes)).file('a').async('string')
  },
  linkedom: async () => (await import('linkedom')).parseHTML('<p>x</p>').document.querySelector('p').textContent,
  lodash: async () => (await import('lodash')).default.chunk([1, 2, 3], 2),
  marked: async () => (await import('marked')).parse('# x'),
  nanoid: async () => (await import('nanoid')).nanoid().length,
  pino: async () => {
    const { default: pino } = await import('pino')
    pino().info('of pino')
    pino(pino.destination(2)).info('of pino')
    return true
  },
  'prom-client': async () => {
    const { collectDefaultMetrics, Registry } = await import('prom-client')
    const register = new Registry()
    collectDefaultMetrics({ register })
    return /nodejs_active_handles/.test(await register.metrics())
  },
  pug: async () => (await import('pug')).default.render('p x'),
  pyodide: async () => {
    const { loadPyodide } = await import('pyodide')
    return (await loadPyodide()).runPython('sum(range(5))')
  },
  semver: async () => (await import('semver')).default.satisfies('1.2.3', '^1'),
  sucrase: async () => (await import('sucrase')).transform('let a: number', { transforms: ['typescript'] }).code,
  terser: async () => (await (await import('terser')).minify('const a = 1 + 1; f(a, a)')).code,
  uuid: async () => {
    const { v4, v5 } = await import('uuid')
    return [v4().length, v5('a', v5.URL)]
  },
  winston: async () => {
    const { createLogger, transports } = await import('winston')
    return createLogger({ transports: [new transports.Console()] }).info('of winston').level
  },
  zod: async () => {
    const { z } = await import('zod')
    return [
      z.object({ a: z.number(), b: z.email() }).safeParse({ a: 1, b: 'a@b.co' }).data,
      z.object({ a: z.number() }).safeParse({ a: 'x' }).error.issues,
    ]
  },
  // They replace functions of Node.
  'graceful-fs': async () => {
    ;(await import('graceful-fs')).default.gracefulify(fs)
    return fs.existsSync(new URL(import.meta.url))
  },
  'source-map-support': async () => {
    ;(await import('source-map-support')).default.install()
    return new Error('x').stack.includes('uses.mjs')
  },
}

/** Packages that ask for what a sandbox denies. */
export const denied = {
  argon2: async () => (await import('argon2')).hash('x'),
  bcrypt: async () => (await import('bcrypt')).default.hash('x', 4),
  lightningcss: async () => (await import('lightningcss')).transform({ filename: 'a', code: Buffer.from('a{}') }),
  'oxc-parser': async () => (await import('oxc-parser')).parseSync('a.js', '1'),
  conf: async () => new (await import('conf')).default({ projectName: 'x' }).set('a', 1),
  execa: async () => (await import('execa')).execa('true'),
  piscina: async () => new (await import('piscina')).Piscina({ filename: import.meta.url }).run(1),
  tmp: async () => (await import('tmp')).fileSync(),
}

/** Packages that open the network. */
export const network = {
  axios: async () => (await import('axios')).default.get('http://127.0.0.1:9/'),
  express: async () => {
    const { default: express } = await import('express')
    return new Promise((resolve, reject) => {
      const server = express().listen(0, '127.0.0.1', () => {
        try {
          resolve(server.address().port)
        } catch (error) {
          reject(error)
        }
      })
    })
  },
  'node-fetch': async () => (await import('node-fetch')).default('http://127.0.0.1:9/'),
  undici: async () => (await import('undici')).request('http://127.0.0.1:9/'),
  ws: async () => {
    const { WebSocket } = await import('ws')
    await new Promise((resolve, reject) => new WebSocket('ws://127.0.0.1:9/').on('error', reject).on('open', resolve))
  },
}
