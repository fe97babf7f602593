// SES locks down the globals of a process once and for all, so every file of tests has a process of its own.
import base from '../../vitest.config.ts'

export default { ...base, test: { ...base.test, projects: undefined } }
