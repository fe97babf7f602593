// The same code in each framework: what its tools receive, and what the model reads afterwards.
import { expect, test, vi } from 'vitest'
import { type Framework, frameworks, type RunTool } from './frameworks.js'
import { reuseBus } from './start.js'
import { rows } from '../../../scripts/testing.js'

const getBus = reuseBus()

const refused = { nothing: '', null: 'null', 'an array': '["a"]', 'a number as text': '{ q: 1 }' }

/** Tries all frameworks in one test. */
const inEach = (check: (run: Framework, name: string) => Promise<void>) => () => rows(frameworks)(check)

test(
  'code calls a tool, and the model reads what it returns',
  inEach(async run => {
    const search = vi.fn<RunTool>(({ q }) => [q, `${q}!`])
    const answer = await run(getBus(), {
      code: `const found = await $search({ q: 'tea' }); return found[1]`,
      tools: { search },
    })
    expect(search.mock.calls).toEqual([[{ q: 'tea' }]])
    expect(answer).toContain('tea!')
  }),
)

test(
  'calls run in parallel',
  inEach(async run => {
    let started = 0
    let release = (): void => {}
    const all = new Promise<void>(resolve => (release = resolve))
    const wait = async ({ q }: { q: string }): Promise<string> => {
      if (++started === 20) release()
      await all
      return q
    }
    const code = `const list = Array.from({ length: 20 }, (_, n) => 'n' + n)
    return (await Promise.all(list.map(q => $wait({ q })))).join('-')`
    expect(await run(getBus(), { code, tools: { wait } })).toContain('n0-n1-n2-n3')
  }),
)

test(
  'code can catch an error of a tool, which has its message alone',
  inEach(async run => {
    const fail = (): never => {
      throw new Error('is in use', { cause: new Error('a secret') })
    }
    const code = `try { await $fail({ q: '' }) } catch (error) { return [error.message, String(error.cause), String(error.stack)].join() }`
    const answer = await run(getBus(), { code, tools: { fail } })
    expect(answer).toContain('is in use')
    expect(answer).not.toMatch(/secret|frameworks/)
  }),
)

test(
  'the model reads an error that the code does not catch',
  inEach(async run => {
    const fail = (): never => {
      throw new Error('is in use')
    }
    expect(await run(getBus(), { code: `await $fail({ q: '' })`, tools: { fail } })).toContain('is in use')
    expect(await run(getBus(), { code: `throw new TypeError('not a note')` })).toContain('not a note')
    expect(await run(getBus(), { code: `const = 1` })).toMatch(/run\.js:[12]:\d+|Unexpected token/)
  }),
)

test(
  'an endless loop ends, and the next code runs',
  inEach(async run => {
    // oxlint-disable-next-line sallyport/no-real-time -- only the limit ends this loop
    const answer = await run(getBus(), { code: 'for (;;);', options: { sandbox: { kind: 'quickjs', time: 50 } } })
    expect(answer).toContain('ran for 50 ms without a pause')
    expect(await run(getBus(), { code: `return 'still ' + 'here'` })).toContain('still here')
  }),
)

test(
  'code that waits too long ends',
  inEach(async run => {
    expect(
      await run(getBus(), { code: 'await new Promise(resolve => setTimeout(resolve, 1e9))', timeout: 1 }),
    ).toContain('longer than 1 ms')
  }),
)

test(
  'the model reads what the code prints, also if it fails',
  inEach(async run => {
    const code = `console.log('first'); console.error('second'); `
    for (const end of ['return 1', 'throw new Error("no")'])
      expect(await run(getBus(), { code: `${code}${end}` })).toMatch(/first.*second/)
  }),
)

test(
  'a result beyond the limit is an error',
  inEach(async run => {
    const code = `return 'x'.repeat(1000)`
    const answer = await run(getBus(), { code, options: { limits: { resultBytes: 100 } } })
    expect(answer).toContain('more than 100')
    expect(answer).not.toContain('xxx')
    expect(await run(getBus(), { code: `return 'x'.repeat(2 ** 20)` })).toContain('more than 1048576')
  }),
)

test(
  'calls beyond the limit reject in the code',
  inEach(async run => {
    const count = vi.fn<RunTool>(() => 1)
    const code = `const all = await Promise.allSettled(Array.from({ length: 300 }, () => $count({ q: '' })))
    return all.filter(({ status }) => status === 'rejected').length + ' rejected'`
    expect(await run(getBus(), { code, tools: { count } })).toContain('44 rejected')
    expect(count).toHaveBeenCalledTimes(256)
  }),
)

test(
  'a tool that does not exist is an error that names it',
  inEach(async run => {
    const answer = await run(getBus(), { code: `await $serch({ q: '' })`, tools: { search: () => 1 } })
    expect(answer).toMatch(/serch\W* (?:does not exist. Use one of: search|is not defined)/)
  }),
)

test(
  'a hostile argument does not reach the tool',
  inEach((run, name) =>
    rows({
      'a getter that throws': '{ get q() { throw new Error("getter") } }',
      'a proxy': 'new Proxy({}, { get() { throw new Error("trap") }, ownKeys() { throw new Error("trap") } })',
      'a function': '() => {}',
      'a cycle': '(() => { const q = {}; q.q = q; return q })()',
      'a value of another type': '{ q: { toString: () => "a" } }',
      // Its entry for TanStack AI does not check arguments.
      ...(name !== 'Cloudflare codemode' && refused),
    })(async argument => {
      const search = vi.fn<RunTool>(() => 'reached')
      const code = `try { await $search(${argument}); return 'accepted' } catch { return 'refused' }`
      expect(await run(getBus(), { code, tools: { search } })).toContain('refused')
      expect(search).not.toHaveBeenCalled()
    }),
  ),
)

test(
  'an argument cannot change the prototype of objects of the host',
  inEach(async run => {
    const search = vi.fn<RunTool>(() => 'ok')
    const code = `return $search({ q: 'a', more: JSON.parse('{ "__proto__": { "isAdmin": true }, "constructor": { "prototype": { "isAdmin": true } } }') })`
    await run(getBus(), { code, tools: { search } })
    for (const [{ more }] of search.mock.calls) expect(Object.assign({}, more)).not.toHaveProperty('isAdmin')
    expect({}).not.toHaveProperty('isAdmin')
  }),
)

test(
  'code has nothing of Node.js, and no tool of other runs',
  inEach(async (run, name) => {
    const code = `return [typeof process, typeof require, typeof fetch, typeof external_search, typeof codemode, typeof tools].join()`
    const answer = await run(getBus(), { code })
    const [own] = { 'Cloudflare codemode': ['object'] }[name] ?? ['undefined']
    expect(answer).toContain(`undefined,undefined,undefined,undefined,${own},undefined`)
  }),
)

test(
  'an abort ends the code',
  inEach(async run => {
    const controller = new AbortController()
    const search = vi.fn<RunTool>(() => {
      controller.abort()
      return new Promise(() => {})
    })
    const code = `return $search({ q: 'a' })`
    const running = run(getBus(), { code, tools: { search }, signal: controller.signal, timeout: 60_000 })
    // Some frameworks reject, and others answer.
    await running.catch(() => {})
    expect(search).toHaveBeenCalledTimes(1)
    await expect
      .poll(() =>
        getBus()
          .frontends()
          .filter(({ label }) => label.startsWith('run-')),
      )
      .toEqual([])
  }),
)
