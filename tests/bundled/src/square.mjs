// Runs in the pool.
export default ({ number }) => number ** 2
