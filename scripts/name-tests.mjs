// A reporter of vitest: leaves test-names.json, with each test that failed or passed only when it was run again.
import { writeFileSync } from 'node:fs'

const named = (test, file) => ({ file, name: test.fullName, error: test.result().errors?.[0]?.message ?? '' })

export default class NameTests {
  onTestRunEnd(modules) {
    const failed = []
    const again = []
    for (const module of modules)
      for (const test of module.children.allTests())
        if (test.result().state === 'failed') failed.push(named(test, module.relativeModuleId))
        else if (test.diagnostic()?.flaky) again.push(named(test, module.relativeModuleId))
    writeFileSync('test-names.json', JSON.stringify({ failed, again }))
  }
}
