// Bencher Metric Format (https://bencher.dev/docs/reference/bencher-metric-format): a benchmark for each arm in each case, a
// measure for each of its figures and for the ratio of each. For `bencher run --adapter json --file bencher.json`.
import { everyFigure, type Report } from './report.js'

interface Metric {
  value: number
  lower_value: number
  upper_value: number
}

/** Bencher has these two from the start, and gives them its units: nanoseconds, and operations a second. */
const OWN_MEASURES: Record<string, { measure: string; times: number }> = {
  p50: { measure: 'latency', times: 1000 },
  rate: { measure: 'throughput', times: 1 },
}

export function toBencher(report: Report): string {
  const benchmarks: Record<string, Record<string, Metric>> = {}
  for (const { path, figure } of everyFigure(report)) {
    const { id, median, low, high, ratio, interval } = figure
    const { measure, times } = OWN_MEASURES[id] ?? { measure: id, times: 1 }
    const metrics = (benchmarks[path.slice(0, path.lastIndexOf('/'))] ??= {})
    metrics[measure] = { value: median * times, lower_value: low * times, upper_value: high * times }
    if (ratio !== null && interval) {
      metrics[`${measure}-ratio`] = { value: ratio, lower_value: interval[0], upper_value: interval[1] }
    }
  }
  return `${JSON.stringify(benchmarks, null, 2)}\n`
}
