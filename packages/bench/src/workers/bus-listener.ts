// One more frontend of a bus, which only listens: to every burst that is meant for as many frontends as it takes to reach it.
import { emit, listen } from '@sallyport/frontend'
import { countFan, FAN_SEEN, FAN_SIZES, fanEvent } from './fan-out.js'
import { BENCH_EVENT } from './bench-event.js'

const place = Number(new URL(import.meta.url).searchParams.get('place'))

for (const size of FAN_SIZES) {
  if (size <= place) continue
  const count = countFan(report => emit(FAN_SEEN, report))
  await listen(fanEvent(size), ({ payload }) => count(payload))
}
await emit(BENCH_EVENT.listening)
