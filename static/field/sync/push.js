// Sending: the outbox in batches, then blobs too large to be sent with them. Invariant (I3, I6): an
// operation counts as sent only when a trusted answer names its id and its hash; one that fails
// never holds up the others, and none is ever deleted here. Only operations of the person signed in
// at the server are offered, and those handed over; the others wait.

import {BATCH_OPERATIONS_MAX, RIDING_BLOB_BYTES_MAX} from '../../build/constants.js'
import {uuid4} from '../record/ids.js'
import {blobsOf} from '../record/operations.js'
import {inOrder, isHandedOver} from '../record/replay.js'
import {isIntact} from '../store/rows.js'
import {inlineBlobs, sendBlobs} from './blobs.js'
import {healthOf} from './health.js'
import {resultsOf} from './push_answer.js'
import {changesFrom, receiptOf} from './receipts.js'
import {checkServerId} from './server_id.js'
import {NotSent} from './transport.js'

/** @import {Device, Memory, OutboxValue, ReadableRow} from '../record/shapes.d.ts' */

/** @typedef {import('../store/store.js').Store} Store */
/** @typedef {import('./transport.js').Transport} Transport */
/** @typedef {{row: ReadableRow, error: NotSent}} Fault */
/**
 * @typedef {object} PushRound
 * @property {Store} store
 * @property {Transport} wire
 * @property {string} person who is signed in at the server
 * @property {() => Promise<object>} health the browser's report
 * @property {() => Date} now
 * @property {boolean} again also what the server holds or refused
 * @property {number} requests sent so far
 * @property {boolean} pushed whether the server has acknowledged a push
 * @property {Fault[]} faults operations on which the server failed
 * @property {number} operationsMax in one push
 */

// Half of what the server takes: quotes double when JSON is put into JSON.
const BATCH_BYTES = 2 * 1024 * 1024
const REQUESTS_MAX = 60
// As many failures as it takes to find the one bad operation in the largest batch.
const BROKEN_AFTER = 12
const HALVED = new Set([400, 413, 422, 500])

/**
 * Offer everything of one person.
 * @param {Store} store @param {Transport} wire
 * @param {string} person who is signed in at the server
 * @param {{again: boolean, greet: boolean, health: () => Promise<object>, now: () => Date}} options
 *   `again`: also what the server holds or refused; `greet`: report the phone's health even with
 *   nothing to send
 * @returns {Promise<{pushed: boolean, failure: NotSent|null}>} whether the server has acknowledged a
 *   push, and with it the phone's health; why blobs stayed here, which is no reason not to pull
 * @throws {NotSent} when the server cannot be reached or trusted
 */
export async function pushAll(store, wire, person, {again, greet, health, now}) {
  /** @type {PushRound} */
  const round = {
    store,
    wire,
    person,
    health,
    now,
    again,
    requests: 0,
    pushed: false,
    faults: [],
    operationsMax: BATCH_OPERATIONS_MAX,
  }
  await markDamaged(round)
  const rows = await rowsToPush(round)
  if (rows.length === 0 && greet) await push(round, [])
  for (let at = 0; at < rows.length; ) {
    const batch = nextBatch(rows, at, round.operationsMax)
    at += batch.length
    await send(round, batch)
  }
  // The same server took others: it is these operations on which it fails.
  await markRefused(round, round.faults)
  const memory = await store.read()
  const sent = inOrder(memory).filter(
    row => isOffered(memory, row, person) && memory.receipts.has(row.id),
  )
  return {failure: await sendBlobs(round, memory, sent), pushed: round.pushed}
}

/** @param {PushRound} round @returns {Promise<ReadableRow[]>} in order */
async function rowsToPush({store, person, again}) {
  const memory = await store.read()
  const rows = inOrder(memory).filter(row => {
    const result = memory.receipts.get(row.id)?.result
    // What was filed too: a supervisor can take a filing back, and have it applied, before this
    // phone asks again.
    const isDue = !result || (again && (result === 'held' || result === 'refused'))
    return isDue && isOffered(memory, row, person)
  })
  // One that cannot be read has just been marked as damaged.
  return /** @type {ReadableRow[]} */ (rows)
}

/** @param {Memory} memory @param {OutboxValue} row @param {string} person */
const isOffered = (memory, row, person) => row.by === person || isHandedOver(memory, row)

/**
 * Bytes that changed in the phone's storage are not what was shown as saved: never send them.
 * @param {PushRound} round
 */
async function markDamaged({store, person, now}) {
  const memory = await store.read()
  const open = inOrder(memory).filter(
    row => isOffered(memory, row, person) && !memory.receipts.has(row.id),
  )
  const intact = await Promise.all(open.map(row => isIntact(row.text, row.sha256)))
  const damaged = open.filter((_, n) => !intact[n])
  if (damaged.length === 0) return
  await store.update(() =>
    damaged.map(row => receiptOf(row, {result: 'damaged', problem: 'damaged'}, now())),
  )
}

/**
 * The next rows that fit in one push: of one device, within its limits.
 * @param {ReadableRow[]} rows @param {number} at @param {number} operationsMax
 */
function nextBatch(rows, at, operationsMax) {
  /** @type {ReadableRow[]} */
  const batch = []
  for (let bytes = 0; at + batch.length < rows.length && batch.length < operationsMax; ) {
    const row = rows[at + batch.length]
    bytes += row.text.length * 2 + blobsOf(row.operation).length * RIDING_BLOB_BYTES_MAX
    const isOther = row.operation.device !== rows[at].operation.device
    if (batch.length > 0 && (bytes > BATCH_BYTES || isOther)) break
    batch.push(row)
  }
  return batch
}

/**
 * Send a batch; one that the server cannot take as a whole is halved until the faulty one is found.
 * @param {PushRound} round @param {ReadableRow[]} rows
 * @param {boolean} [inline] with their small blobs
 */
async function send(round, rows, inline = true) {
  try {
    await push(round, rows, inline)
  } catch (error) {
    if (!(error instanceof NotSent) || !isHalved(error) || round.requests >= REQUESTS_MAX)
      throw error
    if (error.status === 500 && !round.pushed && round.requests >= BROKEN_AFTER) throw error
    if (rows.length > 1) {
      const middle = Math.ceil(rows.length / 2)
      if (error.status === 413) round.operationsMax = Math.min(round.operationsMax, middle)
      await send(round, rows.slice(0, middle), inline)
      await send(round, rows.slice(middle), inline)
    } else if (inline && blobsOf(rows[0].operation).length > 0) {
      await send(round, rows, false)
    } else if (error.status === 500) {
      round.faults.push({row: rows[0], error})
    } else {
      await markRefused(round, [{row: rows[0], error}])
    }
  }
}

/**
 * Any 413: a proxy's means the same as ours. The others only when they are ours: a proxy's 500 is
 * about no operation at all.
 * @param {NotSent} error
 */
const isHalved = ({kind, status}) => status === 413 || (kind === 'refused' && HALVED.has(status))

/**
 * The server does not take these; they stay here, are shown, and are offered again in each round.
 * @param {PushRound} round @param {Fault[]} faults
 */
async function markRefused({store, now, pushed}, faults) {
  if (faults.length === 0) return
  if (!pushed && faults[0].error.status === 500) throw faults[0].error
  const problemOf = (/** @type {NotSent} */ error) =>
    error.status === 413 ? 'too_large' : error.code
  await store.update(() =>
    faults.map(({row, error}) =>
      receiptOf(row, {result: 'refused', problem: problemOf(error)}, now()),
    ),
  )
}

/** One request. @param {PushRound} round @param {ReadableRow[]} rows @param {boolean} [inline] */
async function push(round, rows, inline = true) {
  const {store, wire, now} = round
  round.requests++
  const memory = await store.read()
  const {device, isOwn} = deviceOf(store, memory, rows)
  const {health, reported} = healthOf(memory, await round.health(), {
    sending: new Set(rows.map(row => row.id)),
    tight: store.tight,
  })
  const answer = await wire.push({
    ...device,
    short: true,
    operations: rows.map(row => row.text),
    blobs: inline ? await inlineBlobs(store, memory, rows) : [],
    ...(isOwn ? {health} : {}),
  })
  if (!Array.isArray(answer.missing_blobs)) throw new NotSent('foreign', 'not_ours', 200)
  const results = new Map((await resultsOf(rows, answer)).map(one => [one.id, one]))
  await checkServerId(store, answer.server)
  round.pushed = true
  const name = uuid4()
  await store.update(known => [
    ...rows.flatMap(row =>
      changesFrom(known, row, results.get(row.id), answer, name, wire.serverTime() ?? now()),
    ),
    ...(isOwn ? reported(known) : []),
  ])
  if (isOwn && answer.reused?.length > 0) store.reportRollback()
}

/**
 * Under which id and key operations are sent: this device's, or an earlier one's of this phone.
 * @param {Store} store @param {Memory} memory @param {ReadableRow[]} rows all of one device
 */
function deviceOf(store, memory, rows) {
  const {id, key} = /** @type {Device} */ (store.device)
  const device = rows[0]?.operation.device ?? id
  if (device === id) return {isOwn: true, device: {device, key}}
  const former = memory.meta.get('former')?.value[device]
  return {isOwn: false, device: {device, ...(former ? {key: former} : {})}}
}
