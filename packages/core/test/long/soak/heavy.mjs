// Runs in the pool.
export default function heavy({ n }) {
  let sum = 0
  for (let i = 1; i <= n; i++) sum += i
  return sum
}
