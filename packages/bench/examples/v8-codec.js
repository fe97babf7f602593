// sallyport-bench --codec v8-codec.js: a codec beside the bus's own. What it reads must be what it wrote, as JSON.
import { deserialize, serialize } from 'node:v8'

export default { name: 'v8', encode: serialize, decode: deserialize }
