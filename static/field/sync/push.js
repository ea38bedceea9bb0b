// Sending: the outbox in batches, then blobs too large to ride along. Invariant (I3, I6): an
// operation counts as sent only when an answer that may be believed names its id and its hash; one
// that makes trouble never holds up the others, and none is ever dropped. Only operations of the
// person the server knows as signed in are offered; the others wait.

import {resultsOf} from './push_answer.js'
import {healthOf} from './health.js'
import {uuid4} from '../record/ids.js'
import {BATCH_OPERATIONS_MAX, RIDING_BLOB_BYTES_MAX, blobsOf} from '../record/operations.js'
import {blobsNeeded, inOrder, isHandedOver, unsentBlobs} from '../record/replay.js'
import {base64Of, isIntact, metaChange, textOf} from '../store/rows.js'
import {NotSent} from './transport.js'
import {offerAgain} from './retention.js'

// Half of what the server takes: quotes double when JSON is put into JSON.
const BATCH_BYTES = 2 * 1024 * 1024
const PIECE_BYTES = 256 * 1024
const PIECE_BYTES_MIN = 16 * 1024 // 7 kbit/s bring it over in the time one answer has
const REQUESTS_MAX = 60
const BROKEN_AFTER = 12 // as many failures as it takes to find the one bad operation in the largest batch
const HALVED = new Set([400, 413, 422, 500])

/** @typedef {import('../store/store.js').Store} Store */

/** A server answered: is it the one this phone knows? Believe it, or throw.
 * @param {Store} store @param {string} server @throws {NotSent} `other_server` */
export const checkServerId = (store, server) => store.update(memory => {
  const known = memory.meta.get('server')?.value
  const isNew = memory.meta.has('new_server')
  if (known === server) return isNew ? [{drop: 'meta', id: 'new_server'}] : []
  if (known && !isNew) throw new NotSent('foreign', 'other_server', 200)
  const cursors = [...memory.meta.keys()].filter(id => /^(cursor|backup) /.test(id)).map(id => ({drop: 'meta', id}))
  return [
    metaChange('server', server), {drop: 'meta', id: 'new_server'},
    ...(known ? [...offerAgain(memory), ...staleVisits(memory), ...cursors] : []),
  ]
})

const staleVisits = memory => [...memory.visits.values()].map(one => ({put: 'visits', value: {...one, stale: true}}))

/**
 * Offer everything of one person.
 * @param {Store} store
 * @param {ReturnType<typeof import('./transport.js').transport>} wire
 * @param {string} person who is signed in at the server
 * @param {{again: boolean, greet: boolean, health: () => Promise<object>, now: () => Date}} options `again`: also what
 *   the server holds or refused; `greet`: report the phone's health even with nothing to send
 * @returns {Promise<{pushed: boolean, failure: NotSent|null}>} whether the server has taken in a push, and so the
 *   phone's health; why blobs stayed here, which is no reason to go without news
 * @throws {NotSent} when the server cannot be reached or believed
 */
export async function pushAll(store, wire, person, {again, greet, health, now}) {
  const round = {store, wire, person, health, now, again, requests: 0, pushed: false, faults: [], operationsMax: BATCH_OPERATIONS_MAX}
  await setDamagedAside(round)
  const rows = await offered(round)
  if (rows.length === 0 && greet) await push(round, [])
  for (let at = 0; at < rows.length;) {
    const batch = nextBatch(rows, at, round.operationsMax)
    at += batch.length
    await send(round, batch)
  }
  // With others the same server managed: it is these operations it cannot digest.
  await setAside(round, round.faults)
  return {failure: await sendBlobs(round), pushed: round.pushed}
}

async function offered({store, person, again}) {
  const memory = await store.read()
  return inOrder(memory).filter(row => {
    const result = memory.receipts.get(row.id)?.result
    // What was filed too: a supervisor can take a filing back, and have it applied before this phone asks.
    const isDue = !result || (again && (result === 'held' || result === 'refused'))
    return isDue && isOffered(memory, row, person)
  })
}

const isOffered = (memory, row, person) => row.by === person || isHandedOver(memory, row)

/** Bytes that changed in the phone's storage are not what was said to be saved: never send them. */
async function setDamagedAside({store, person, now}) {
  const memory = await store.read()
  const open = inOrder(memory).filter(row => isOffered(memory, row, person) && !memory.receipts.has(row.id))
  const whole = await Promise.all(open.map(row => isIntact(row.text, row.sha256)))
  const damaged = open.filter((row, n) => !whole[n])
  if (damaged.length === 0) return
  await store.update(() => damaged.map(row => receiptOf(row, {result: 'damaged', problem: 'damaged'}, now())))
}

const receiptOf = ({id, by, visit}, {result, seq = 0, problem = '', comment = '', push = ''}, now) => (
  {put: 'receipts', value: {id, by, visit, result, seq, problem, comment, push, at: now.toISOString()}})

function nextBatch(rows, at, operationsMax) {
  const batch = []
  for (let bytes = 0; at + batch.length < rows.length && batch.length < operationsMax;) {
    const row = rows[at + batch.length]
    bytes += row.text.length * 2 + blobsOf(row.operation).length * RIDING_BLOB_BYTES_MAX
    if (batch.length > 0 && (bytes > BATCH_BYTES || row.operation.device !== batch[0].operation.device)) break
    batch.push(row)
  }
  return batch
}

/** Send a batch; one that the server cannot take as a whole is halved until the one is found. */
async function send(round, rows, ride = true) {
  try {
    await push(round, rows, ride)
  } catch (error) {
    if (!(error instanceof NotSent) || !isHalved(error) || round.requests >= REQUESTS_MAX) throw error
    if (error.status === 500 && !round.pushed && round.requests >= BROKEN_AFTER) throw error
    if (rows.length > 1) {
      const middle = Math.ceil(rows.length / 2)
      if (error.status === 413) round.operationsMax = Math.min(round.operationsMax, middle)
      await send(round, rows.slice(0, middle), ride)
      await send(round, rows.slice(middle), ride)
    } else if (ride && blobsOf(rows[0].operation).length > 0) {
      await send(round, rows, false)
    } else if (error.status === 500) {
      round.faults.push({row: rows[0], error})
    } else {
      await setAside(round, [{row: rows[0], error}])
    }
  }
}

// Any 413: a proxy's says as much as ours. The others only when they are ours: a proxy's 500 is
// about no operation at all.
const isHalved = ({kind, status}) => status === 413 || (kind === 'refused' && HALVED.has(status))

/** The server will not take these; they stay here, are shown, and are offered again in each round. */
async function setAside({store, now, pushed}, faults) {
  if (faults.length === 0) return
  if (!pushed && faults[0].error.status === 500) throw faults[0].error
  await store.update(() => faults.map(({row, error}) => (
    receiptOf(row, {result: 'refused', problem: error.status === 413 ? 'too_large' : error.code}, now()))))
}

async function push(round, rows, ride = true) {
  const {store, wire, now} = round
  round.requests++
  const memory = await store.read()
  const {device, own} = deviceOf(store, memory, rows)
  const {health, told} = healthOf(memory, await round.health(), {going: new Set(rows.map(row => row.id)), tight: store.tight})
  const answer = await wire.push({
    ...device, short: true, operations: rows.map(row => row.text), blobs: ride ? await ridingBlobs(store, memory, rows) : [], ...(own ? {health} : {}),
  })
  if (!Array.isArray(answer.missing_blobs)) throw new NotSent('foreign', 'not_ours', 200)
  const results = new Map((await resultsOf(rows, answer)).map(one => [one.id, one]))
  await checkServerId(store, answer.server)
  round.pushed = true
  const name = uuid4()
  await store.update(known => [
    ...rows.flatMap(row => answered(known, row, results.get(row.id), answer, name, wire.serverTime() ?? now())),
    ...(own ? told(known) : []),
  ])
  if (own && answer.reused?.length > 0) store.reportRollback()
}

/** Under which name and key operations go out: this device's, or an earlier one's of this phone. */
function deviceOf(store, memory, rows) {
  const {id, key} = store.device
  const device = rows[0]?.operation.device ?? id
  if (device === id) return {own: true, device: {device, key}}
  const former = memory.meta.get('former')?.value[device]
  return {own: false, device: {device, ...(former ? {key: former} : {})}}
}

const numberOr0 = number => (Number.isSafeInteger(number) ? number : 0)

/** What an answer says of one operation and its blobs; nothing without its id and its hash. */
function answered(memory, row, found, answer, push, now) {
  if (found?.sha256 !== row.sha256 || !memory.outbox.has(row.id)) return []
  const gone = blobsNeeded(memory, row).filter(hash => answer.missing_blobs.includes(hash) && isStored(memory, hash))
    // The server had it once and was put back since: it is open again.
    .map(id => ({drop: 'receipts', id}))
  const blobs = unsentBlobs(memory, row).filter(hash => !answer.missing_blobs.includes(hash))
    .map(hash => receiptOf({...row, id: hash}, {result: 'stored', seq: found.result === 'duplicate' ? numberOr0(answer.seq + 1) : 0}, now))
  if (found.result === 'held') {
    const before = memory.receipts.get(row.id)
    const problem = String(found.problem ?? '')
    // The same answer again is no new one: what was filed leaves the phone so many days after it was.
    const at = before?.result === 'held' && before.problem === problem ? new Date(before.at) : now
    return [receiptOf(row, {result: 'held', problem, comment: before?.comment}, at), ...gone, ...blobs]
  }
  const isApplied = (found.result === 'applied' || found.result === 'duplicate') && Number.isSafeInteger(found.seq) && found.seq > 0
  return isApplied ? [receiptOf(row, {result: 'applied', seq: found.seq, push}, now), ...gone, ...blobs] : []
}

const isStored = (memory, hash) => memory.blobs.has(hash) && memory.receipts.get(hash)?.result === 'stored'

async function ridingBlobs(store, memory, rows) {
  const found = []
  for (const hash of new Set(rows.flatMap(row => unsentBlobs(memory, row)))) {
    const blob = await store.readBack('blobs', hash)
    if (!blob || blob.bytes.byteLength > RIDING_BLOB_BYTES_MAX) continue
    found.push({sha256: hash, type: blob.type, ...inText(blob)})
  }
  return found
}

function inText({type, bytes}) {
  if (type === 'image/svg+xml') {
    try {
      return {text: textOf(bytes)} // a third smaller than base64, and gzip sees the pattern
    } catch { /* not UTF-8 after all */ }
  }
  return {base64: base64Of(bytes)}
}

// --- blobs that do not ride

async function sendBlobs(round) {
  const {store, person, again} = round
  const memory = await store.read()
  const rows = inOrder(memory).filter(row => isOffered(memory, row, person) && memory.receipts.has(row.id))
  let failure = null
  for (const row of rows) {
    for (const hash of unsentBlobs(memory, row)) {
      if (memory.receipts.get(hash)?.result === 'refused' && !again) continue
      try {
        await sendBlob(round, row, hash)
      } catch (error) {
        if (!(error instanceof NotSent)) throw error
        failure = error
        if (error.kind !== 'refused') return failure // the line, not this blob
      }
    }
  }
  return failure
}

async function sendBlob(round, row, hash) {
  const {store, now} = round
  const blob = await store.readBack('blobs', hash)
  let result
  try {
    result = await upload(round, hash, blob)
  } catch (error) {
    if (!(error instanceof NotSent) || ![413, 415, 422].includes(error.status)) throw error
    result = {result: 'refused', problem: error.status === 413 ? 'too_large' : error.code}
  }
  if (result) await store.update(() => [receiptOf({...row, id: hash}, result, round.wire.serverTime() ?? now())])
}

/** Send the pieces the server does not have. A blob that arrived damaged is sent once more from 0. */
async function upload({store, wire}, hash, {bytes, type}) {
  const whole = new Uint8Array(bytes)
  const total = whole.length
  let at = total > PIECE_BYTES ? await wire.blobOffset(hash) : 0
  let tries = 0
  let size = PIECE_BYTES
  for (let piece = 0; piece < 3 * Math.ceil(total / PIECE_BYTES_MIN) + 3; piece++) {
    // HEAD alone is no proof that the server has it all: the last byte is asked about again.
    at = Math.min(at, total - 1)
    try {
      const answer = await wire.blobPut(hash, whole.subarray(at, at + size), at, total, type)
      await checkServerId(store, answer.server)
      if (answer.complete === true) return {result: 'stored', seq: numberOr0(answer.seq)}
      if (!Number.isSafeInteger(answer.offset) || answer.offset < 0) throw new NotSent('foreign', 'not_ours', 200)
      at = answer.offset
    } catch (error) {
      if (error?.code === 'timeout' && size > PIECE_BYTES_MIN) {
        size = Math.max(PIECE_BYTES_MIN, size / 4)
        continue
      }
      if (!(error instanceof NotSent) || error.status !== 422 || tries++ > 0) throw error
      at = 0
    }
  }
  return null // it does not come to an end; the next round tries again
}

/**
 * Ask whether blobs are still at the server; one that it lacks is open again and sent in the next round.
 * @param {Store} store
 * @param {ReturnType<typeof import('./transport.js').transport>} wire
 * @param {string[]} hashes
 * @returns {Promise<{there: Set<string>, lost: boolean, failure: NotSent|null}>} those that it has; whether it lacks one; why not all were asked
 *   about
 */
export async function verifyBlobs(store, wire, hashes) {
  const found = {there: new Set(), lost: false, failure: null}
  try {
    for (const hash of new Set(hashes)) {
      if (await wire.blobIsThere(hash)) {
        found.there.add(hash)
        continue
      }
      found.lost = true
      await store.update(memory => (isStored(memory, hash) ? [{drop: 'receipts', id: hash}] : []))
    }
  } catch (error) {
    if (!(error instanceof NotSent)) throw error
    found.failure = error
  }
  return found
}
