// A small server that speaks the protocol, in memory: for what the phone must do. The real one has
// tests of its own. `meddle` stands between phone and server and does what networks do.

import {createHash} from 'node:crypto'
import {gunzipSync} from 'node:zlib'
import {BLOB_BYTES_MAX} from '../../static/build/constants.js'
import {fold, stateOf} from '../../static/field/record/apply.js'

const MEDIA = 'application/vnd.troskel.sync+json'
const sha = bytes => createHash('sha256').update(bytes).digest('hex')
const json = (body, {status = 200, type = MEDIA, headers = {}} = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: {'Content-Type': type, Date: new Date().toUTCString(), ...headers},
  })
const problem = (code, status) =>
  json(
    {problem: code, title: code, remedy: '', retryable: false},
    {status, type: 'application/json'},
  )

export const PAGE = () =>
  new Response('<!doctype html><title>Hotel wifi</title>', {
    status: 200,
    headers: {'Content-Type': 'text/html'},
  })

export class Server {
  id = 'server-1'
  /** @type {string} who the cookie says is signed in; "" for nobody */
  user = 'bob'
  log = [] // {seq, text, id, sha256, operation}
  held = new Map() // id → {id, sha256, problem, visit, by}
  holds = () => '' // operation → problem code
  visits = new Map() // visit id → Set of users who may see it
  gone = [] // {seq, user, id, reason}
  blobs = new Map()
  parts = new Map()
  backup = 0
  operationsMax = 500
  requests = []
  now = () => new Date()
  health = []
  /** @type {(request: {method: string, path: string, body: any}, answer: () => Promise<Response>) => Promise<Response>} */
  meddle = (request, answer) => answer()

  fetch = async (url, init = {}) => {
    const headers = new Headers(init.headers)
    const {pathname: path, searchParams} = new URL(url, 'http://server')
    let raw = init.body ? Buffer.from(init.body) : Buffer.alloc(0)
    if (headers.get('Content-Encoding') === 'gzip') raw = gunzipSync(raw)
    const body = path === '/sync/push' ? JSON.parse(raw) : raw
    const request = {method: init.method ?? 'GET', path, query: searchParams, headers, body}
    this.requests.push(request)
    return this.meddle(request, async () => {
      const response = this.answer(request)
      response.headers.set('Date', this.now().toUTCString())
      return response
    })
  }

  answer(request) {
    if (!this.user) return problem('reauth', 401)
    if (request.path === '/session')
      return json({person: {id: this.user, name: this.user}}, {type: 'application/json'})
    if (request.path === '/sync/push') return this.push(request.body)
    if (request.path === '/sync/pull') return this.pull(request.query.get('cursor'))
    return this.blob(request)
  }

  ours = extra => json({protocol: 1, server: this.id, ...extra})

  // --- push

  knowsShort = true // false: a server of an earlier release

  push({operations, blobs, health, short}) {
    if (operations.length > this.operationsMax) return problem('too_large', 413)
    this.health.push(health)
    for (const blob of blobs) {
      const bytes = 'text' in blob ? Buffer.from(blob.text) : Buffer.from(blob.base64, 'base64')
      if (sha(bytes) === blob.sha256) this.blobs.set(blob.sha256, bytes)
    }
    const named = operations.flatMap(text => JSON.parse(text).data.signature || [])
    const results = operations.map(text => this.take(text))
    const others = new Set(results.filter(one => one.result !== 'applied').map(one => one.id))
    const isTaken = one => this.knowsShort && short === true && !others.has(one.id)
    const all = results.filter(isTaken)
    return this.ours({
      ...(all.length > 0
        ? {
            taken: {
              seqs: all.map(one => [one.seq, 1]),
              sha256: sha(all.map(one => one.sha256).join('')),
            },
          }
        : {}),
      seq: this.log.length,
      backup: this.backup,
      results: results.filter(one => !isTaken(one)),
      gaps: [],
      reused: [],
      missing_blobs: named.filter(hash => !this.blobs.has(hash)),
    })
  }

  take(text) {
    const operation = JSON.parse(text)
    const {id} = operation
    const sha256 = sha(text)
    const known = this.log.find(one => one.id === id)
    if (known) return {id, sha256, result: 'duplicate', seq: known.seq, problem: ''}
    const code = operation.by !== this.user ? 'author_mismatch' : this.holds(operation)
    if (code) {
      this.held.set(id, {
        id,
        sha256,
        problem: code,
        visit: operation.subject.id,
        by: operation.by,
        comment: '',
      })
      return {id, sha256, result: 'held', seq: 0, problem: code}
    }
    this.held.delete(id)
    return {id, sha256, result: 'applied', seq: this.append(text), problem: ''}
  }

  append(text) {
    const operation = JSON.parse(text)
    const seq = this.log.length + 1
    this.log.push({seq, text, id: operation.id, sha256: sha(text), operation})
    if (operation.kind === 'visit.open') this.show(operation.subject.id, operation.by)
    return seq
  }

  /** Something done at the desk. */
  desk(kind, visit, data, users = []) {
    const n = this.log.length + 1
    const id = `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`
    this.append(
      JSON.stringify({
        id,
        v: 1,
        kind,
        subject: {type: 'visit', id: visit},
        by: 'alice',
        device: 'desk-alice',
        device_seq: n,
        at: '2026-11-22T10:00:00+01:00',
        base: n - 1,
        data,
      }),
    )
    for (const user of users) this.show(visit, user)
  }

  show(visit, user) {
    this.visits.set(visit, (this.visits.get(visit) ?? new Set()).add(user))
  }

  takeAway(visit, user, reason = 'reassigned') {
    this.desk('visit.assign', visit, {visitors: []})
    this.visits.get(visit).delete(user)
    this.gone.push({seq: this.log.length, user, id: visit, reason})
  }

  /** Put the server back to `seq`, as a restored backup is. */
  restore(seq) {
    this.log.length = seq
    this.held.clear()
  }

  texts = () => this.log.map(one => one.operation.data.text).filter(Boolean)

  // --- pull

  digest = seq =>
    sha(
      this.log
        .slice(0, seq)
        .map(one => one.sha256)
        .join(),
    ).slice(0, 16)

  pageSize = 200

  pull(cursor) {
    const [seq, digest] = cursor ? cursor.split('.') : ['0', this.digest(0)]
    const isKnown = Number(seq) <= this.log.length && digest === this.digest(Number(seq))
    const since = isKnown ? Number(seq) : 0
    const records = [...this.visits]
      .filter(([, users]) => users.has(this.user))
      .map(([id]) => this.record(id))
      .filter(one => one.seq > since)
      .sort((a, b) => a.seq - b.seq)
    const page = records.slice(0, this.pageSize)
    const more = records.length > page.length
    const reached = more ? page.at(-1).seq : this.log.length
    return this.ours({
      reader: this.user,
      cursor: `${reached}.${this.digest(reached)}.2026-11-22`,
      more,
      reset: !isKnown,
      backup: this.backup,
      today: '2026-11-22',
      snapshots: page.map(one => ({
        ...one,
        state: stateOf(one),
        tenancy_fields: {street: 'Testgatan 1'},
        settings: {quiet_from: '22:00'},
      })),
      gone: more
        ? []
        : this.gone
            .filter(one => one.user === this.user && one.seq > since)
            .map(({id, reason}) => ({id, reason})),
      people: [
        {id: 'bob', name: 'Bob Testsson', role: 'visitor', languages: ['sv']},
        {id: 'amira', name: 'Amira Testsson', role: 'ambassador', languages: ['ar']},
      ],
      held: [...this.held.values()]
        .filter(one => one.by === this.user)
        .map(({id, visit, problem: code, comment}) => ({id, visit, problem: code, comment})),
      guide: 'g1',
      languages: ['sv', 'ar'],
    })
  }

  record(id) {
    const own = this.log.filter(one => one.operation.subject.id === id)
    return own.reduce((record, one) => fold(record, [one.operation], one.seq), null)
  }

  // --- blobs

  blob({method, path, headers, body}) {
    const hash = path.split('/').at(-1)
    const part = this.blobs.get(hash) ?? this.parts.get(hash) ?? Buffer.alloc(0)
    if (method === 'HEAD')
      return new Response(null, {
        headers: {'Upload-Offset': String(this.blobs.has(hash) ? BLOB_BYTES_MAX : part.length)},
      })
    const [, from, to, total] = headers.get('Content-Range').match(/bytes (\d+)-(\d+)\/(\d+)/)
    if (Number(from) > Number(to)) return problem('malformed', 400) // RFC 9110, 14.4: no such range
    if (this.blobs.has(hash))
      return this.ours({offset: Number(total), complete: true, seq: this.log.length + 1})
    if (Number(from) !== part.length) return this.ours({offset: part.length, complete: false})
    const grown = Buffer.concat([part, body])
    this.parts.set(hash, grown)
    if (grown.length < Number(total)) return this.ours({offset: grown.length, complete: false})
    this.parts.delete(hash)
    if (sha(grown) !== hash) return problem('blob_mismatch', 422)
    this.blobs.set(hash, grown)
    return this.ours({offset: grown.length, complete: true, seq: this.log.length + 1})
  }
}
