// The files that decide, by what they decide: `npm run mutate -- --random 200` draws from each group.

/** Patterns of each group, below `packages/` and `extensions/`. */
export const GROUPS = {
  'who may do what': [
    'packages/core/src/acl/{authority,catalogue,explain,identifier,resolve,schema,types}.ts',
    'packages/core/src/rpc/{approval,quotas}.ts',
    'packages/paths/src/{addresses,components,glob,resolve,safe-open,scope}.ts',
    'packages/isolation/src/{hook/hook,hook/hook-watch,gate/gate,gate/hook-messages}.ts',
    'packages/process/src/network/{broker,host-list,secrets}.ts',
    'extensions/plugin-host/src/{rights,grants}.ts',
    'extensions/web/src/http/request-policy.ts',
    'extensions/inspector/src/host/server.ts',
    'extensions/tauri-plugins/src/{fs/paths,http/url-scope,shared/permissions}.ts',
  ],
  'what is bounded': [
    'packages/protocol/src/codec/{codec,json,json-checks,msgpack-reader}.ts',
    'packages/protocol/src/wire/{flow,limits}.ts',
    'packages/protocol/src/rpc/{open-ids,stream-receiver,stream-sender,streams}.ts',
    'packages/protocol/src/util/bounded-queue.ts',
    'packages/core/src/rpc/{call-table,channels}.ts',
    'packages/process/src/relay/report-parser.ts',
    'extensions/mcp/src/{open/program-transport,serve/stdio-transport,serve/serve-http}.ts',
  ],
  'what is secret or unchanged': [
    'packages/protocol/src/crypto/record.ts',
    'packages/protocol/src/link/direct-socket.ts',
    'packages/core/src/life/continuations/{continuations,sealed-continuation,suspension}.ts',
    'extensions/nats/src/handshake/{credential,fields,handshake,messages}.ts',
  ],
  'how things end': [
    'packages/core/src/life/{judge,policy,supervisor,table,thread,watchdog,worker}.ts',
    'packages/core/src/rpc/{frontend-ends,sessions}.ts',
    'packages/core/src/life/workers/shared-threads.ts',
    'packages/core/src/host/run.ts',
    'packages/process/src/process-pool.ts',
    'packages/protocol/src/contract/life.ts',
    'packages/protocol/src/util/timers.ts',
  ],
}

const expand = pattern =>
  pattern
    .replace(/^(.*)\{(.*)\}(.*)$/, (_, before, names, after) =>
      names
        .split(',')
        .map(name => `${before}${name}${after}`)
        .join('\n'),
    )
    .split('\n')

/** Each file that decides, with its group. */
export const DECIDING = new Map(
  Object.entries(GROUPS).flatMap(([group, patterns]) => patterns.flatMap(expand).map(file => [file, group])),
)
