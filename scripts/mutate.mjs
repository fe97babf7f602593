// npm run mutate [-- name …]: breaks the product at one place at a time, and demands that the tests named beside it fail. A mutant that survives is a
// hole in the suite; one whose text has moved is stale. `--none` breaks nothing: then all these tests must pass, or each would be killed by a test that
// fails anyway. It edits src/, and restores it.
// npm run mutate -- --random 200 [--seed N] [--seconds S], or --file f: faults that a machine makes. See mutants/draw.mjs, which prints --help, too.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
process.chdir(root)

/** Faults of how something ends, which the simulation finds, each at the seed beside it: `npm run mutate -- 'end: '`. */
const ENDS = [
  {
    name: 'end: a timer judges who lost a link', // 90
    file: 'packages/protocol/src/util/timers.ts',
    from: '() => peer.ask(answered, answered)',
    to: '() => answered()',
  },
  {
    name: 'end: the code is asked, and not its gate', // 90
    file: 'packages/core/src/life/frontends/frontend.ts',
    from: 'runtime.ask(() => (gate ? gate.worker.code.ask(onAnswer) : onAnswer()))',
    to: 'runtime.ask(onAnswer)',
  },
  {
    name: 'end: calls do not wait for the reason', // 2
    file: 'packages/core/src/rpc/frontend-ends.ts',
    from: 'if (!calls || !detached) return\n    this.#links.delete(id)\n    rejectCalls(label, calls, detached.end)',
    to: 'if (!calls) return\n    this.#links.delete(id)\n    rejectCalls(label, calls, detached?.end)',
  },
  {
    name: 'end: the reason is dropped', // 2
    file: 'packages/core/src/rpc/frontend-ends.ts',
    from: 'rejectCalls(label, calls, detached.end)',
    to: 'rejectCalls(label, calls)',
  },
  {
    name: 'end: the reason is dropped if it comes first', // 73
    file: 'packages/core/src/rpc/frontend-ends.ts',
    from: 'link.detached = { end }',
    to: 'link.detached = { end: link.calls && end }',
  },
  {
    name: 'end: the host is not believed before the session has ended', // 24
    file: 'packages/core/src/rpc/frontend-ends.ts',
    from: 'if (!link) return\n    link.detached',
    to: 'if (!link?.calls) return\n    link.detached',
  },
  {
    name: 'end: only ends with a reason settle calls', // 90
    file: 'packages/core/src/rpc/sessions.ts',
    from: 'this.#ends.detach(link, end)',
    to: 'if (end) this.#ends.detach(link, end)',
  },
  {
    name: 'end: a later call does not wait for the reason', // 5
    file: 'packages/core/src/rpc/sessions.ts',
    from: 'if (!this.#byLabel.has(label)) await this.#ends.known(label)',
    to: 'if (!this.#byLabel.has(label)) await Promise.resolve()',
  },
  {
    name: 'end: core reports lost links of ended frontends only', // 65
    file: 'packages/core/src/rpc/sessions.ts',
    from: "if (frontend !== undefined && linkId !== undefined) report({ type: 'closed'",
    to: "if (frontend !== undefined && linkId !== undefined && over) report({ type: 'closed'",
  },
  {
    name: 'end: one direction of a link outlives the other', // 168
    file: 'packages/protocol/src/link/endpoints.ts',
    from: '        // The receiver can have sent its last frames.\n        this.#to.close()\n',
    to: '',
  },
  {
    name: 'end: a script waits for room of its last link', // 205
    file: 'packages/quickjs/src/inside/link.ts',
    from: '      setCurrent(this)\n      // The script host has another link, too.\n      setRoom()\n',
    to: '      setCurrent(this)\n',
  },
  {
    name: 'end: the wall judges who is late',
    world: 'holds',
    seeds: 200,
    file: 'packages/core/src/life/thread.ts',
    from: 'ends.push(patience(asked, STOP_TIMEOUT_MS, silent, readProgress, MAX_STOP_ROUNDS))',
    to: 'ends.push(silence(STOP_TIMEOUT_MS, { readMs: () => performance.now() }, silent))',
  },
].map(fault => ({ seeds: 2000, world: 'host', ...fault, tests: ['packages/core/test/simulation/simulation.test.ts'] }))

/** `isBundled`: the tests run what is built. */
const MUTANTS = [
  {
    name: 'a denied command is allowed',
    file: 'packages/core/src/acl/authority.ts',
    from: '!denied.has(command.method) && grants.length > 0',
    to: 'grants.length > 0',
    tests: ['packages/core/test/permissions/acl/authority.test.ts'],
  },
  {
    name: 'rights are not asked',
    file: 'packages/core/src/rpc/call-phases.ts',
    from: 'const denial = own ? undefined : permits.check(command)',
    to: 'const denial = undefined as undefined | ReturnType<typeof permits.check>',
    tests: ['packages/core/test/calls/session.test.ts', 'packages/core/test/simulation/simulation.test.ts'],
  },
  {
    name: 'a draining core serves calls',
    file: 'packages/core/src/rpc/call-phases.ts',
    from: 'if (this.isDraining) throw',
    to: 'if (false as boolean) throw',
    tests: ['packages/core/test/long/supervision/closing.test.ts'],
    isBundled: true,
  },
  {
    name: 'calls of a run, off by one',
    file: 'packages/core/src/rpc/call-phases.ts',
    from: '++this.#callCount <= maxCalls',
    to: '++this.#callCount < maxCalls',
    tests: ['packages/core/test/host/run-report.test.ts', 'packages/core/test/host/run.test.ts'],
    isBundled: true,
  },
  {
    name: 'link credit, one window too many',
    file: 'packages/protocol/src/wire/flow.ts',
    from: 'this.#sent - this.#taken >= CREDIT_WINDOW_BYTES',
    to: 'this.#sent - this.#taken >= 2 * CREDIT_WINDOW_BYTES',
    tests: ['packages/protocol/src/link/port-link.test.ts'],
  },
  {
    name: 'channel credit, off by one',
    file: 'packages/protocol/src/rpc/stream-sender.ts',
    from: 'if (this.#inFlight < this.#window) {',
    to: 'if (this.#inFlight <= this.#window) {',
    tests: ['packages/protocol/src/rpc/streams.test.ts'],
  },
  {
    name: 'a false total of credit is believed',
    file: 'packages/protocol/src/wire/flow.ts',
    from: '(total as number) > this.#taken && (total as number) <= this.#sent',
    to: '(total as number) > this.#taken',
    tests: ['packages/protocol/src/link/port-link.test.ts'],
  },
  {
    name: 'the nonce does not advance',
    file: 'packages/protocol/src/crypto/record.ts',
    from: '      sequence += 1',
    to: '      sequence += 0',
    tests: ['packages/protocol/src/crypto/keys.test.ts'],
  },
  {
    name: 'the key does not advance with the epoch',
    file: 'packages/protocol/src/crypto/record.ts',
    from: '        key = begin()',
    to: '        key = key ?? begin()',
    tests: ['packages/protocol/src/crypto'],
  },
  {
    name: 'the header of a record is not compared',
    file: 'packages/protocol/src/crypto/record.ts',
    from: 'if (record[i] !== header[i]) return false',
    to: 'if (record[i] !== header[i]) break',
    tests: ['packages/protocol/src/crypto'],
  },
  {
    name: 'a ring skips more than is ready',
    file: 'packages/protocol/src/link/ring/ring-buffer.ts',
    from: 'offset === 0 || skip >= this.#ready',
    to: 'offset === 0',
    tests: ['packages/protocol/test/ring'],
  },
  {
    name: 'a frame of any size',
    file: 'packages/protocol/src/link/stream-link.ts',
    from: 'length > this.#maxBodyBytes',
    to: 'length > 2 ** 32',
    tests: ['packages/protocol/src/link/stream-link.test.ts'],
  },
  {
    name: 'a cancelled call leaves the gate',
    file: 'packages/isolation/src/gate/gate.ts',
    from: 'if (queued?.outcome === null) return',
    to: 'if (queued === null) return',
    tests: ['packages/isolation/src/gate/gate-flow.test.ts'],
  },
  {
    name: 'the gate lets messages overtake',
    file: 'packages/isolation/src/gate/gate.ts',
    from: 'if (this.#queue.size === 0) this.#seal(outcome)',
    to: 'if (this.#queue.size >= 0) this.#seal(outcome)',
    tests: ['packages/isolation/src/gate'],
  },
  {
    name: 'a deadline without a signal is ignored',
    file: 'packages/protocol/src/rpc/pending-calls.ts',
    from: 'if (signal === undefined && !timeout) return',
    to: 'if (signal === undefined) return',
    tests: ['packages/protocol/src/rpc/pending-calls.test.ts'],
  },
  {
    name: 'core is not told of a cancel',
    file: 'packages/protocol/src/rpc/pending-calls.ts',
    from: 'this.#onAbandon(id) === true',
    to: '(id as unknown) === true',
    tests: ['packages/protocol/src/rpc/pending-calls.test.ts'],
  },
  {
    name: 'an obituary is lost',
    file: 'packages/core/src/life/frontends/frontend.ts',
    from: "this.#host.core.post({ type: 'ended', frontend, next, end: end && reportEnd(end), drops: goal === 'stop' })",
    to: 'void [frontend, next, end, goal]',
    tests: ['packages/core/test/supervision/ends-in-any-order.test.ts'],
  },
  {
    name: 'a lost link outdoes the last words',
    file: 'packages/core/src/life/judge.ts',
    from: 'if (error && !(isForSentence && isUnsentError(error))) return error',
    to: 'if (error && !sentence) return error',
    tests: ['packages/core/test/supervision/ends-in-any-order.test.ts'],
  },
  {
    name: 'deadlines before arrivals',
    file: 'packages/protocol/src/util/timers.ts',
    from: 'onNextTick(() => isOver || onLate())',
    to: 'onLate()',
    tests: ['packages/protocol/src/util/timers.test.ts'],
  },
  {
    name: 'restarts, one too many',
    file: 'packages/core/src/life/policy.ts',
    from: 'withinPeriod.length >= intensity',
    to: 'withinPeriod.length > intensity',
    tests: ['packages/core/src/life/restarts.test.ts'],
  },
  {
    name: 'a hang is never found',
    file: 'packages/core/src/life/watchdog.ts',
    from: 'if (now - from < timeout) return',
    to: 'if (now - from <= 1e9) return',
    tests: ['packages/core/src/life/watchdog.test.ts'],
  },
  {
    name: 'quotas are not spent',
    file: 'packages/core/src/rpc/quotas.ts',
    from: 'this.#tokens -= 1',
    to: 'this.#tokens -= 0',
    tests: ['packages/core/src/rpc/quotas.test.ts'],
  },
  {
    name: 'an event for one reaches another',
    file: 'packages/core/src/events/router.ts',
    from: 'listenerTarget => matches(target, listenerTarget), label)',
    to: 'listenerTarget => matches(target, listenerTarget))',
    tests: ['packages/core/src/events'],
  },
  {
    name: 'private addresses are open',
    file: 'packages/paths/src/addresses.ts',
    from: '!isOpen && isPrivateAddress(address)',
    to: 'isOpen && isPrivateAddress(address)',
    tests: ['packages/paths/src/addresses.test.ts'],
  },
  {
    name: 'a deny of paths is not asked',
    file: 'packages/paths/src/scope.ts',
    from: 'this.#deny = deny.flatMap(compile)',
    to: 'this.#deny = deny.slice(0, 0).flatMap(compile)',
    tests: ['packages/paths/src/scope.test.ts'],
  },
  {
    name: 'a wildcard of hosts has no dot',
    file: 'packages/process/src/network/host-list.ts',
    from: 'isWildcard ? `.${host}` : host, isWildcard, port }',
    to: 'host, isWildcard, port }',
    tests: ['packages/process/src/network/host-list.test.ts'],
  },
  {
    name: 'seccomp allows other architectures',
    file: 'packages/process/src/launchers/seccomp.ts',
    from: '[RETURN, 0, 0, KILL_PROCESS],',
    to: '[RETURN, 0, 0, ALLOW],',
    tests: ['packages/process/src/launchers/seccomp.test.ts'],
  },
  {
    name: 'a continuation is resumed twice',
    file: 'packages/core/src/life/continuations/continuations.ts',
    from: 'if (isNew === false) throw createClaimedError()',
    to: 'if (isNew === false) return',
    tests: ['packages/core/test/host/interrupt.test.ts'],
    only: 'claim',
  },
  {
    name: 'an expired deadline of a hook is ignored',
    file: 'packages/isolation/src/hook/hook.ts',
    from: 'later(deadline, expire)',
    to: 'later(deadline, () => {})',
    tests: ['packages/isolation/src/hook/hook.test.ts'],
  },
  {
    name: 'a finished call answers again',
    file: 'packages/frontend/src/client/exposed-functions.ts',
    from: 'if (this.#running.get(call.id) !== call) return false',
    to: 'if (!call) return false',
    tests: ['packages/frontend/src/client/exposed-functions.test.ts'],
  },
  {
    name: 'troubles of a minute stay',
    file: 'extensions/inspector/src/host/recent.ts',
    from: 'now - steps[0]![0] > SPAN_MS',
    to: 'now - steps[0]![0] > 2 * SPAN_MS',
    tests: ['extensions/inspector/src/host/recent.test.ts'],
  },
  {
    name: 'a page of another site opens a socket',
    file: 'extensions/web/src/http/request-policy.ts',
    from: 'const refusal = this.#checkHost(headers) ?? this.#checkOrigin(headers)',
    to: 'const refusal = this.#checkHost(headers)',
    tests: ['extensions/web/test/attach.test.ts'],
    isBundled: true,
  },
  {
    name: 'a hello is accepted twice',
    file: 'extensions/nats/src/handshake/handshake.ts',
    from: 'if (replayCache.has(proof)) throw',
    to: 'if (replayCache.has(proof) && proof === undefined) throw',
    tests: ['extensions/nats/src/handshake'],
  },
  {
    name: 'an encoded path avoids a scope',
    file: 'extensions/tauri-plugins/src/http/url-scope.ts',
    from: '  matchesGlob(url.pathname, pattern.pathname) &&\n  matchesGlob(url.decodedPathname, pattern.decodedPathname) &&\n  matchesGlob(url.search',
    to: '  matchesGlob(url.pathname, pattern.pathname) &&\n  matchesGlob(url.search',
    tests: ['extensions/tauri-plugins/src/http/url-scope.test.ts'],
  },
  {
    name: 'a plugin changes during the question',
    file: 'extensions/plugin-host/src/ask.ts',
    from: 'if (!isWatched && (await asked.readIntegrity()) !== integrity) throw',
    to: 'if (!isWatched && (await asked.readIntegrity()) === undefined) throw',
    tests: ['extensions/plugin-host/test/hostile.test.ts'],
    isBundled: true,
  },
  {
    name: 'a changed tool stays served',
    file: 'extensions/mcp/src/open/tool-pin.ts',
    from: 'if (isSame(before, tool)) return []',
    to: 'if (!isSame(before, tool)) return []',
    tests: ['extensions/mcp/test/open.test.ts'],
    isBundled: true,
  },
  {
    name: 'a group calls the tools of another',
    file: 'extensions/code-mode/src/tool-globals.ts',
    from: 'groups[group]?.tools',
    to: 'groups[0]?.tools',
    tests: ['extensions/code-mode/test/to-executor.test.ts'],
  },
  {
    name: 'an unsteady base is judged',
    file: 'extensions/compare/src/verdict/judge.ts',
    from: "if (drift && (drift.bounds[0] > tolerance || drift.bounds[1] < 1 / tolerance)) return 'unsteady'",
    to: "if (drift && drift.bounds[0] > 1e9) return 'unsteady'",
    tests: ['extensions/compare/src/verdict'],
  },
  {
    name: 'a link avoids a deny of paths',
    file: 'packages/paths/src/scope.ts',
    from: '!this.isDenied(canonical) && !this.isDenied(original)',
    to: '!this.isDenied(original)',
    tests: ['packages/paths/src/scope.test.ts'],
  },
]

MUTANTS.push(...ENDS)

if (process.argv.some(arg => arg.startsWith('-') && arg !== '--none')) {
  await import('./mutants/draw.mjs')
  process.exit()
}

const breaksNothing = process.argv.includes('--none')
const wanted = process.argv.slice(2).filter(arg => !arg.startsWith('-'))
const getPackage = file => file.split('/').slice(0, 2).join('/')

/** Returns true if the tests pass, or the seed that fails. */
function runTests({ tests, only, seeds, world }) {
  const options = ['--bail=1', ...(only ? ['-t', only] : [])]
  const cwd = getPackage(tests[0])
  const files = tests.map(test => test.slice(cwd.length + 1))
  const env = {
    SALLYPORT_SIMULATE_SEED: '1',
    SALLYPORT_SIMULATE_SEEDS: String(seeds),
    SALLYPORT_SIMULATE_WORLD: world,
  }
  const { status, stdout } = spawnSync('npx', ['vitest', 'run', ...options, ...files], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...(seeds && env) },
  })
  return status === 0 || /seed \d+(?=, with)/.exec(stdout)?.[0]
}

const build = file => spawnSync('npm', ['run', 'build'], { cwd: getPackage(file), stdio: 'ignore' })

/** Several mutants have the same tests. */
const passed = new Map()
function passes(run) {
  const key = JSON.stringify(run)
  if (!passed.has(key)) passed.set(key, runTests(run) === true)
  return passed.get(key)
}

function tryMutant({ file, from, to, isBundled, ...run }) {
  const before = readFileSync(file, 'utf8')
  if (before.split(from).length !== 2) return 'stale'
  if (breaksNothing) return passes(run) ? 'passed' : 'fails without a mutant'
  try {
    writeFileSync(
      file,
      before.replace(from, () => to),
    )
    if (isBundled) build(file)
    const outcome = runTests(run)
    return outcome === true ? 'survived' : ['killed', outcome].filter(Boolean).join(' by ')
  } finally {
    writeFileSync(file, before)
    if (isBundled) build(file)
  }
}

/** Tests are ended by the same signal, and a listener does not run before they are: the file is restored, and the mutant not judged. */
let isStopped = false
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (isStopped = true))

const wrong = []
const chosen = MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.some(part => name.includes(part)))
for (const mutant of chosen) {
  const outcome = tryMutant(mutant)
  await setImmediate()
  if (isStopped) process.exit(130)
  if (!outcome.startsWith('killed') && outcome !== 'passed') wrong.push(mutant)
  console.log(`${outcome}: ${mutant.name} (${mutant.file})`)
}
console.log(
  `${chosen.length - wrong.length} of ${chosen.length} mutants ${breaksNothing ? 'have tests that pass' : 'were killed'}`,
)
process.exitCode = wrong.length > 0 || chosen.length === 0 ? 1 : 0
