// A ledger from JavaScript, by HTTP alone: read a model and a version, move an alias, follow events. Node 20, no packages.
//   node examples/follow.mjs http://127.0.0.1:8400 credit production main      (LEPTON_TOKEN holds a token, if needed)
import { setTimeout as pause } from 'node:timers/promises'

const [server, model, alias, rev] = process.argv.slice(2)
const token = process.env.LEPTON_TOKEN
const at = (...parts) => `/models/${[model, ...parts].map(encodeURIComponent).join('/')}`

async function ask(path, { method = 'GET', body, ...headers } = {}) {
  if (token) headers.Authorization = `Bearer ${token}`
  if (body) headers['Content-Type'] = 'application/json'
  const answer = await fetch(`${server}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) })
  if (answer.ok) return answer
  const problem = await answer.json() // RFC 9457: type, status, detail
  throw Object.assign(new Error(problem.detail), problem)
}

// Move the alias from where it was seen to stand; whoever moved it since is not overwritten.
async function move(etag) {
  const precondition = etag ? { 'If-Match': etag } : { 'If-None-Match': '*' }
  return ask(at('aliases', alias), { method: 'PUT', body: { version: rev }, 'Idempotency-Key': crypto.randomUUID(), ...precondition })
}

// Events behind a seq, for ever: where the connection is lost, the next one goes on behind the last event that came.
async function* events(after) {
  for (;;) {
    try {
      const answer = await ask('/events', { Accept: 'text/event-stream', 'Last-Event-ID': String(after) })
      let text = ''
      for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + piece).split('\n\n')
        text = blocks.pop()
        for (const block of blocks) {
          const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)))
          if (fields.id) yield [(after = Number(fields.id)), JSON.parse(fields.data)]
        }
      }
    } catch (error) {
      if (error.status < 500) throw error // a problem that trying again does not mend
    }
    await pause(1000)
  }
}

const about = await (await ask(at())).json()
const version = await (await ask(at('versions', rev))).json()
console.log(`${about.model} has ${about.versions} versions; ${rev} is ${version.version.version}: ${version.message}`)

const before = await ask(at('aliases', alias)).then((answer) => answer.headers.get('ETag'), () => null)
const moved = await move(before)
console.log(`${alias} stands on ${version.version.version} by event ${moved.headers.get('Lepton-Seq')}`)
await move(before).catch((error) => console.log(`${error.status}: ${error.message}`)) // what was seen is stale by now

for await (const [seq, event] of events(Number(moved.headers.get('Lepton-Seq')))) console.log(`${seq} ${event.type}`)
