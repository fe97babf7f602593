// The entry `@sallyport/process/internal/permission-model`: what code under Node's permission model reads, in a thread too, and the rules
// of the options for its network. Every bus loads it.
export { HOST_RULE, HOSTS_RULE, NET_RULE, parseHostPattern } from './network/host-list.js'
export {
  checkSecrets,
  SECRET_NAME,
  SECRET_NAME_RULE,
  SECRET_VALUE,
  SECRET_VALUE_RULE,
  type SecretOptions,
} from './network/secrets.js'
export { LAUNCHERS } from './launchers/table.js'
export { findEmbedder, getNodeProgram } from './launchers/node-program.js'
export {
  checkReads,
  getEntryGrants,
  getGateGrants,
  getReadGrants,
  getUnexpectedRead,
  isWithin,
  joinGrants,
  type ReadGrants,
  realModule,
} from './permission-model/grants.js'
export { findOutwardLinks, getReadFlags, type Link, warnOfLinks } from './permission-model/links.js'
export {
  CAN_DENY_NET,
  checkNet,
  OPEN_NET,
  type FrontendCode,
  getModuleCode,
  getNetFlags,
  MODEL,
} from './permission-model/module-code.js'
