// The entry `@sallyport/process/internal`: the sandbox of a frontend that is a process. Core loads it with the first of them.
export {
  createProcessConfig,
  createSharedProcessConfig,
  type ProcessConfig,
  type ProcessOptions,
  type ScriptProcessOptions,
} from './launch.js'
export { explainForeignFiles, explainOpenNet, findTextWall, resolveWall } from './launchers/find-wall.js'
export { createSecrets, getPlaceholders } from './network/secrets.js'
export { getWriteGrants } from './permission-model/grants.js'
export { ProcessPool } from './process-pool.js'
export type { ProcessHost, ProcessMember, RelaySockets, SocketOwner } from './contract.js'
export type { BrokerData } from './relay/relay-data.js'
