// The words of each timer, for the section "Clocks" of docs/internals/machines.md (`clocks.mjs`). A file has its calls as `helper(milliseconds)`, as
// they are written there.
//
// - one that waits: 'what it waits for | on the thread of | what it does when it is over'. Its helper says of which kind it is
// - `later`, `every`, `pause`: what they do. If one of them looks again and again for somebody, 'silence: ' (or another kind) and the three words
const UNTAKEN = 'the peer, to take something of what is left | the peer | gives up the rest, and says how many bytes'
const BEATS =
  'silence: a beat of the process | the process | asks it again: whoever watches the counter beside it counts'

/** @type {Record<string, Record<string, string>>} */
export const ROWS = {
  'packages/protocol/src/contract/life.ts': { 'every(heartbeat.every)': 'beats in a counter, which others watch' },
  'packages/protocol/src/link/direct-socket.ts': {
    'silence(SECRET_TIMEOUT_MS)': 'the secret over a socket that has connected | the relay | closes the socket',
  },
  'packages/protocol/src/link/port-link.ts': { 'silence(LINGER_MS)': UNTAKEN },
  'packages/protocol/src/link/ring/ring-link.ts': {
    'setInterval(MAX_INTERVAL_MS)': 'does nothing: it keeps the thread alive',
    'silence(LINGER_MS)': UNTAKEN,
  },
  'packages/protocol/src/link/socket-link.ts': {
    'later(WINDOWS_CHECK_MS)':
      'looks on Windows whether a poll phase has found nothing more of a process that has exited',
    'later(UNREAD_CHECK_MS)': 'looks again whether what has arrived was read',
  },
  'packages/protocol/src/link/stream-link.ts': { 'silence(LINGER_MS)': UNTAKEN },
  'packages/protocol/src/rpc/call-options.ts': {
    'deadline(ms)':
      'a call or an event, `timeout` | the one that is called | rejects with `Timeout`, and cancels the call',
    'deadline(this.idle)':
      'an item of a call, `timeout.idle` | the one that is called | looks when the last one came, and rejects with `Timeout`',
    'deadline(Math.ceil(left))': 'the same, from its last item on | the one that is called | the same',
  },
  'packages/protocol/src/rpc/pending-calls.ts': {
    'deadline(timeout as number)':
      'a call, `calls.timeout` or `calls.commandTimeout` | the one that is called | rejects with `Timeout`, and cancels the call',
  },
  'packages/protocol/src/util/throttle.ts': { 'later(rest)': 'emits the summary of what was left out within a second' },

  'packages/core/src/api/resources.ts': {
    'within(STEP_TIMEOUT_MS)': 'a resource or a listener to close, 5 s | the user, in core | goes on with the next one',
    'within(ABORTED_TIMEOUT_MS)': 'those that are closed when the time is over, 50 ms | the user, in core | goes on',
  },
  'packages/core/src/core-thread/core-actor.ts': {
    'within(this.#stopTimeoutMs)': 'running commands, `timeout` of `bus.close` | the user, in core | aborts them',
  },
  'packages/core/src/core-thread/core.ts': {
    'withDeadline(Math.max(timeoutMs, MIN_CLOSE_MS))':
      'plugins, state and resources to close, `timeout` of `bus.close` | the user, in core | aborts their signal',
  },
  'packages/core/src/core-thread/create-app.ts': {
    'withDeadline(FAILED_START_MS)':
      'plugins to close after a start that failed, 1 s | the user, in core | aborts their signal',
  },
  'packages/core/src/core-thread/network.ts': {
    'within(timeoutMs)': 'a network to close, `timeout` of `bus.close` | the network, in core | goes on',
  },
  'packages/core/src/host/bus.ts': {
    'within(timeout)': 'running calls, `timeout` of `bus.close` | core and frontends | closes the frontends',
    'within(Math.max(0, deadline - performance.now()) / 2)':
      'core, to take what code has sent, half of what is left of that | core and frontends | closes core',
  },
  'packages/core/src/host/dev-mode.ts': { 'later(QUIET_MS)': 'reloads once no file has changed for a while' },
  'packages/core/src/host/local-core.ts': {
    'deadline(MEASURE_TIMEOUT_MS)':
      'question: the figures of core, 250 ms | core | asks again with the next snapshot; this one says that core is blocked',
    'silence(EXPLAIN_TIMEOUT_MS)': 'what a frontend can call | core | rejects the question with `Timeout`',
  },
  'packages/core/src/host/run.ts': {
    'within(CLOSE_TIMEOUT_MS)':
      'the end of a run whose `timeout` is over, 500 ms | the user | rejects, and lets it end later',
  },
  'packages/core/src/host/start-bus.ts': {
    'deadline(LATE_CORE_MS)': 'core to start | core | warns, and waits on',
    'deadline(startTimeout)': 'core and the first frontends, `startTimeout` | core and frontends | rejects `createBus`',
  },
  'packages/core/src/life/frontends/frontend.ts': {
    'patience(LOST_LINK_MS)':
      'the end of code whose link to core has closed | the code, its gate | asks both; their answer means that the link alone is lost',
    'patience(ms)':
      'core, to take what the code has sent | core, its gate | asks both, and waits on while it takes some; then what is left is lost',
  },
  'packages/core/src/life/frontends/worker-runtime.ts': {
    'deadline(timeout)': 'a module to load, `loadTimeout` | the code | fails the frontend; not at a breakpoint',
  },
  'packages/core/src/life/reporting/log.ts': { 'every(CLOSING_INTERVAL_MS)': 'logs what a close waits for' },
  'packages/core/src/life/thread.ts': {
    'silence(SILENT_MS)': 'an answer to `stop`, 20 ms of its running time | the code | ends it',
    'silence(STOP_TIMEOUT_MS)':
      'an answer to a question after `stop`, or the exit, 500 ms of its running time | core, a gate, the code | ends it',
    'patience(STOP_TIMEOUT_MS)':
      'the end of code that drains | the code, its gate, core | asks all eight times, and waits on while core takes something; ends it then',
    'silence(ABANDON_TIMEOUT_MS)': 'the exit after `terminate()`, 5 s without its neighbors | the thread | abandons it',
  },
  'packages/core/src/life/watchdog.ts': {
    'every(turn)':
      'silence: a change of its counter, `heartbeat` and the time of a hook | code, gate, core | ends it: its event loop is blocked',
    'every(heartbeat.every)': 'question: eight beats from now on | the code | takes them for its answer',
  },
  'packages/core/src/life/worker.ts': {
    'silence(ms)': 'a restarted core to be ready, a minute or ten times its first start | core | restarts it again',
  },
  'packages/core/src/life/workers/shared-threads.ts': {
    'within(ABANDON_TIMEOUT_MS)': 'the members of a thread to end, 5 s | the members | terminates the thread',
    'silence(this.#group.confirmTimeout ?? CONFIRM_TIMEOUT_MS)':
      'a thread to confirm the end of a member, 250 ms of its running time in which no member is entered | the thread | fails it with all members',
  },
  'packages/core/src/life/workers/syntax-errors.ts': {
    'withDeadline(TIMEOUT_MS)': 'the line of a syntax error, 10 s | a process of Node | reports the error without it',
  },
  'packages/core/src/rpc/call-table.ts': {
    'deadline(timeoutMs)':
      'a command that is called over a network, the `timeout` of the call | the user, in core | aborts its signal',
  },
  'packages/core/src/rpc/sessions.ts': {
    'every(Math.max(MIN_POLL_MS, slowAfterMs / 10))': 'looks for calls to report as `slow`',
  },
  'packages/core/src/shared/heap-limit.ts': { 'later(delay)': 'measures the heaps of workers' },
  'packages/core/src/shared/shared-text.ts': {
    'pause(Math.random() * 20)': 'tries again to replace a file that others write',
  },

  'packages/isolation/src/hook/hook.ts': {
    'later(deadline)': 'deadline: the promise of a hook, 30 s | the user, in a gate | rejects the message',
  },
  'packages/isolation/src/run-gate.ts': {
    'within(SOCKET_TIMEOUT_MS)': 'question: the socket of a process, 50 ms | the relay | loads its hook, and waits on',
  },

  'packages/frontend/src/runtime/network/broker-sockets.ts': {
    'setTimeout(timeout)': "is the program's own, of its socket",
    'every(PING_MS)': 'asks the broker whether it answers, while requests are open',
    'silence(SILENT_MS)': 'an answer of the broker while requests are open | the host | ends them with an error',
  },
  'packages/frontend/src/runtime/network/use-broker.ts': {
    'deadline(CONNECT_TIMEOUT_MS)':
      'a connection of `fetch`, 10 s as in Node | the broker, a server | fails the request, as Node does',
  },

  'packages/process/src/child/child.ts': {
    'silence(LAUNCHER_EXIT_TIMEOUT_MS)': 'a launcher whose descendants were killed | the launcher | kills it',
  },
  'packages/process/src/child/limits.ts': { 'every(CHECK_INTERVAL_MS)': 'measures memory and CPU time of a process' },
  'packages/process/src/child/orphan-guard.ts': {
    'silence(ms)': 'the `stop` command of a launcher, 5 s | the command | reports that it runs on',
  },
  'packages/process/src/launchers/cgroup.ts': { 'pause(REMOVE_INTERVAL_MS)': 'tries again to remove the cgroup' },
  'packages/process/src/network/broker.ts': {
    'silence(IDLE_MS)': 'a byte of a connection, in either direction | a server, a frontend | closes the connection',
  },
  'packages/process/src/network/proxy.ts': {
    'later(SECOND_MS - (now - startedAt))': 'runs a request that waits for its rate',
  },
  'packages/process/src/process-pool.ts': { 'later(delay)': 'starts a spare process' },
  'packages/process/src/relay/process-scripts.ts': {
    'every(ms)': BEATS,
    'silence(KILL_TIMEOUT_MS)':
      'scripts that are ended by force, 250 ms in which it could run | their process | kills it, if no other script is in it',
  },
  'packages/process/src/relay/relayed-code.ts': {
    'deadline(ms)': 'the `timeout` of a close | the user | watches from then on whether the code takes the order',
    'silence(ms)': 'an answer or an exit that a process owes, in which it could run | the process | kills it',
  },
  'packages/process/src/relay/run-relay.ts': {
    'silence(ms)':
      'an answer to `stop`: 20 ms of CPU time, 250 ms in which it could run, a minute of one that is stopped | the process | kills it, unless it still prints',
  },

  'extensions/inspector/src/host/feed.ts': { 'later(pause)': 'sends the next snapshot' },
  'extensions/mcp/src/open/program-transport.ts': {
    'deadline(this.#options.timeout)':
      'a part of what it is sent to be taken, the longer of `timeout` and `startTimeout` | the server | ends it',
  },
  'extensions/mcp/src/open/remote-fetch.ts': {
    'deadline(this.#options.timeout)':
      'a response, the longer of `timeout` and `startTimeout` | a remote server | rejects the calls that wait for it',
  },
  'extensions/mcp/src/open/remote-transport.ts': {
    'later(Math.min(Math.max(delay, RETRY_MS.min), RETRY_MS.max))': 'opens a stream of events again',
    'within(GOODBYE_MS)': 'the end of a session | a remote server | closes without it',
  },
  'extensions/mcp/src/open/server-life.ts': {
    'deadline(startTimeout)': 'the tools of a server, `startTimeout` | the server | ends it: it did not start',
    'later(delay)': 'listens again for changes',
    'later(Math.min(Math.max(rest, LISTEN_DELAY_MS.min), LISTEN_DELAY_MS.max))':
      'lists the tools again, if they have changed meanwhile',
    'pause(delay)': 'starts a server again',
  },
  'extensions/mcp/src/serve/serve-http.ts': {
    'silence(ARRIVAL_TIMEOUT_MS)': 'the rest of a request | a client | answers 408',
  },
  'extensions/mcp/src/serve/waiting-calls.ts': {
    'silence(ANSWER_TIMEOUT_MS)': 'the answer to a question of `confirm` | a person | cancels the call',
  },
  'extensions/mcp/src/wrap/relay.ts': {
    'later(GRACE_MS)': 'ends a server whose client has gone',
    'silence(timeout)': 'a message while a request is open, `--timeout` | the server | ends it',
    'within(GRACE_MS)': 'the last answers | the client | exits without it',
    'within(timeout)':
      'the list of tools after the end of the client, `--timeout` | the server | ends its input without it',
  },
  'extensions/nats/src/client/discovery.ts': { 'every(this.#deps.intervalMs)': 'asks which instances there are' },
  'extensions/nats/src/client/remote-core.ts': {
    'deadline(timeout)': 'what frontends have sent, `timeout` of the close | core, elsewhere | closes the sessions',
    'withDeadline(this.deps.firstLinkTimeout)':
      'the first session of a frontend, 10 s | core, elsewhere | rejects `joinBus` or `open`',
    'pause(this.#hasDialed ? this.#getRedialDelay() : 0)': 'dials core again',
    'silence(LINGER_MS)': 'core, to take something of what is left | core, elsewhere | closes the session',
  },
  'extensions/nats/src/client/session-dialer.ts': {
    'within(CREDENTIAL_TIMEOUT_MS)':
      'a credential of the function `credentials`, 10 s | the user | rejects with `Disconnected`, and dials again',
    'silence(ANSWER_TIMEOUT_MS)': 'the answer to a hello | core, elsewhere | dials again',
    'silence(graceMs)': 'a better answer than one without proof | core, elsewhere | takes the one it has',
  },
  'extensions/nats/src/connection/process-connection.ts': {
    'within(CLOSE_TIMEOUT_MS)': 'the flush before a close, 1 s | a server of NATS | closes',
  },
  'extensions/nats/src/core/joined-sessions.ts': {
    'silence(FIRST_MESSAGE_TIMEOUT_MS)': 'the first message of a session | a joined process | drops the session',
  },
  'extensions/nats/src/core/presence.ts': {
    'every(ANNOUNCE_INTERVAL_MS)': 'silence: a message within four intervals | another instance | counts it no longer',
  },
  'extensions/nats/src/link/nats-link.ts': {
    'silence(LINGER_MS)': UNTAKEN,
    'silence(this.#heartbeat)':
      'a message, four times `heartbeat` | the peer | pings it, and ends the session at the fourth time',
    'silence(delay)': 'a message, once NATS has no subscriber for it | the peer | ends the session',
  },
  'extensions/plugin-host/src/ask.ts': {
    'silence(askTimeout)': 'an answer to `ask`, `askTimeout` | a person | refuses the plugin',
  },
  'extensions/plugin-host/src/plugin.ts': {
    'every(RETRY_INTERVAL_MS)': 'closes a frontend that was disabled while it opens',
    'later(RETRY_INTERVAL_MS)':
      'silence: core, which restarts, to say what capabilities allow | core | asks it again: the supervisor watches core',
    'later(QUIET_MS)': 'reports changes of files together',
  },
  'extensions/tauri-plugins/src/callbacks/ask.ts': {
    'deadline(limit)':
      "a function of the host, 30 s, or 10 min if it asks a person | the user | rejects the frontend's call",
    'later(PERSON_LIMIT_MS)': 'lets a frontend ask a person again whose last question is still open',
  },
  'extensions/tauri-plugins/src/fs/watching.ts': { 'later(ms)': 'reports changes of files' },
  'extensions/tauri-plugins/src/http/bodies.ts': {
    'silence(options.idleMs)': 'a read of the body, or its data, `idleMs` | a frontend, a server | closes the response',
  },
  'extensions/tauri-plugins/src/http/exchange.ts': {
    'deadline(ms)': 'a connection, then headers: `connectMs`, `headersMs` | a server | rejects the request',
  },
  'extensions/tauri-plugins/src/http/requests.ts': {
    'deadline(network.limits.idleMs)': 'a request to be sent, `idleMs` | a frontend | forgets it',
  },
  'extensions/tauri-plugins/src/log.ts': { 'later(SECOND_MS)': 'logs how many lines of a second were dropped' },
  'extensions/tauri-plugins/src/store/loaded-store.ts': {
    'setTimeout(autoSave)': 'saves a store, `autoSave`, and keeps the program alive until then',
  },
  'extensions/web/src/page-label.ts': {
    'silence(RETURN_TIMEOUT_MS)': 'a page to come back | a page | closes the label that only it had',
  },
  'extensions/web/src/page-session.ts': {
    'every(GREETING_TIMEOUT_MS / (MISSED_HEARTBEATS + 1))':
      'silence: the greeting, four checks | the server | connects again',
    'every(greeting.heartbeat)': 'silence: a message, four checks | the server | connects again',
    'every(DRAIN_CHECK_MS)': 'looks whether the buffer of a browser has drained',
    'setTimeout(delay)': 'connects again, and keeps a program of Node alive until then',
  },
  'extensions/web/src/page-socket.ts': {
    'silence(GREETING_TIMEOUT_MS)':
      'a link for a page that has joined | core | disconnects the page, which tries again',
    'silence(ms)': 'a pong, when another page wants its label | a page | disconnects it; not one that is not read',
  },
  'extensions/web/src/serve.ts': {
    'every(config.heartbeat)':
      'deadline: an answer since the last time, `heartbeat` | a page | disconnects it; not one that is not read',
    'silence(ms)': 'a byte of a request for files, twice `heartbeat` | a browser | closes the connection',
    'silence(UPGRADE_TIMEOUT_MS)': 'the label of a page, by `authenticate` | the user | closes the connection',
  },
  'extensions/web/src/web-socket-link.ts': {
    'silence(INCOMPLETE_TIMEOUT_MS)':
      'the next part of a message | a page | disconnects it; time in which it is not read does not count',
  },
}
