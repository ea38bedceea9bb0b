// Signatures and pictures: small ones are sent inside a push, larger ones in pieces by themselves.
// No digest covers a blob that was sent by itself, so the server is asked whether it still has it
// before the phone removes it.

import {RIDING_BLOB_BYTES_MAX} from '../../build/constants.js'
import {unsentBlobs} from '../record/replay.js'
import {base64Of, drop, textOf} from '../store/rows.js'
import {isStored, numberOr0, receiptOf} from './receipts.js'
import {checkServerId} from './server_id.js'
import {NotSent} from './transport.js'

/** @import {Memory, OutboxValue} from '../record/shapes.d.ts' */

/** @typedef {import('../store/store.js').Store} Store */
/** @typedef {import('./transport.js').Transport} Transport */

const PIECE_BYTES = 256 * 1024
const PIECE_BYTES_MIN = 16 * 1024 // 7 kbit/s carry it in the time one answer has

/**
 * Blobs of these operations that are small enough to be sent inside the push.
 * @param {Store} store @param {Memory} memory @param {OutboxValue[]} rows
 * @returns {Promise<object[]>}
 */
export async function inlineBlobs(store, memory, rows) {
  const found = []
  for (const hash of new Set(rows.flatMap(row => unsentBlobs(memory, row)))) {
    const blob = await store.readBack('blobs', hash)
    if (!blob || blob.bytes.byteLength > RIDING_BLOB_BYTES_MAX) continue
    found.push({sha256: hash, type: blob.type, ...inText(blob)})
  }
  return found
}

/** @param {{type: string, bytes: ArrayBuffer}} blob @returns {{text: string}|{base64: string}} */
function inText({type, bytes}) {
  if (type === 'image/svg+xml') {
    try {
      return {text: textOf(bytes)} // a third smaller than base64, and gzip sees the pattern
    } catch {
      /* not UTF-8 after all */
    }
  }
  return {base64: base64Of(bytes)}
}

/**
 * Send the blobs of these operations that the server lacks.
 * @param {{store: Store, wire: Transport, again: boolean, now: () => Date}} round
 * @param {Memory} memory @param {OutboxValue[]} rows
 * @returns {Promise<NotSent|null>} why one of them stayed here
 */
export async function sendBlobs(round, memory, rows) {
  let failure = null
  for (const row of rows) {
    for (const hash of unsentBlobs(memory, row)) {
      if (memory.receipts.get(hash)?.result === 'refused' && !round.again) continue
      try {
        await sendBlob(round, row, hash)
      } catch (error) {
        if (!(error instanceof NotSent)) throw error
        failure = error
        if (error.kind !== 'refused') return failure // the connection, not this blob
      }
    }
  }
  return failure
}

/**
 * @param {{store: Store, wire: Transport, now: () => Date}} round
 * @param {OutboxValue} row @param {string} hash
 */
async function sendBlob({store, wire, now}, row, hash) {
  const blob = await store.readBack('blobs', hash)
  /** @type {import('./receipts.js').Verdict|null} */
  let verdict
  try {
    verdict = await upload(store, wire, hash, blob)
  } catch (error) {
    if (!(error instanceof NotSent) || ![413, 415, 422].includes(error.status)) throw error
    verdict = {result: 'refused', problem: error.status === 413 ? 'too_large' : error.code}
  }
  if (!verdict) return
  const receipt = receiptOf({...row, id: hash}, verdict, wire.serverTime() ?? now())
  await store.update(() => [receipt])
}

/**
 * Send the pieces the server does not have. A blob that arrived damaged is sent once more from 0.
 * @param {Store} store @param {Transport} wire @param {string} hash
 * @param {{bytes: ArrayBuffer, type: string}} blob
 * @returns {Promise<import('./receipts.js').Verdict|null>} null: not finished in this round
 */
async function upload(store, wire, hash, {bytes, type}) {
  const whole = new Uint8Array(bytes)
  const total = whole.length
  let at = total > PIECE_BYTES ? await wire.blobOffset(hash) : 0
  let tries = 0
  let size = PIECE_BYTES
  for (let piece = 0; piece < 3 * Math.ceil(total / PIECE_BYTES_MIN) + 3; piece++) {
    // HEAD alone is no proof that the server has it all: the last byte is sent in any case.
    at = Math.min(at, total - 1)
    try {
      const answer = await wire.blobPut(hash, whole.subarray(at, at + size), at, total, type)
      await checkServerId(store, answer.server)
      if (answer.complete === true) return {result: 'stored', seq: numberOr0(answer.seq)}
      if (!Number.isSafeInteger(answer.offset) || answer.offset < 0)
        throw new NotSent('foreign', 'not_ours', 200)
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
  return null
}

/**
 * Ask whether the server still has these blobs; one that it lacks is sent again in the next round.
 * @param {Store} store @param {Transport} wire @param {string[]} hashes
 * @returns {Promise<{present: Set<string>, missing: boolean, failure: NotSent|null}>}
 *   those that it has; whether it lacks one; why it could not be asked about all
 */
export async function verifyBlobs(store, wire, hashes) {
  const present = new Set()
  let missing = false
  try {
    for (const hash of new Set(hashes)) {
      if (await wire.blobIsThere(hash)) {
        present.add(hash)
        continue
      }
      missing = true
      await store.update(memory => (isStored(memory, hash) ? [drop('receipts', hash)] : []))
    }
  } catch (error) {
    if (!(error instanceof NotSent)) throw error
    return {present, missing, failure: error}
  }
  return {present, missing, failure: null}
}
