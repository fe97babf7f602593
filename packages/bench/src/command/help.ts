// What --help ends with.

export const EXAMPLES: readonly string[] = [
  'sallyport-bench                         the main questions, in less than a minute',
  'sallyport-bench list                    everything that can be measured',
  'sallyport-bench --filter throughput     one scenario: calls/s beside other libraries',
  'sallyport-bench --filter throughput/64  one case of it',
  'sallyport-bench --filter msgpack        one kind of arm, with the reference',
  'sallyport-bench --all --full            everything, steady: twenty minutes',
  'sallyport-bench --payload order.json    what your own document costs',
  'sallyport-bench compare --base main     did this change make anything slower?',
  "sallyport-bench --filter '/^(sandbox|memory)/' --processes 5",
]

export const EXIT_CODES =
  'Exit codes: 0 fine · 1 something failed, or is slower · 2 usage · 3 too noisy to judge · 130 interrupted'
