// Saving what a person did: drafts become operations, their bytes are fixed, and they are in the
// outbox before "Saved" is shown. Invariant (I1, I2): `saveDrafts` resolves only after a strict
// commit and after reading the same bytes back; the same tap twice is one tap. Nothing is saved
// while nobody is signed in, and nothing that is there is rewritten.

import {sha256, uuid7, uuid7After} from '../record/ids.js'
import {blobsOf, encode, localIso, visitOf} from '../record/operations.js'
import {
  blobsNeeded,
  inOrder,
  isDone,
  isFiled,
  personOf,
  problemOf,
  visitKey,
  whereIs,
} from '../record/replay.js'
import {bytesOf, drop, isIntact, metaChange, put} from './rows.js'
import {SaveFailed} from './save_failed.js'

/**
 * @import {BlobDraft, Change, Draft, Memory, OutboxValue, Person, Place, ReadableRow} from '../record/shapes.d.ts'
 */

/** @typedef {import('./store.js').Store} Store */
/**
 * @typedef {{id: string, kind: string, visit: string, by: string, by_name: string, at: string,
 *   state: Place, problem: string, comment: string, data: any}} Listed an operation, for a page
 */

/**
 * Save the operations of one tap: all of them, or none.
 * @param {Store} store
 * @param {Draft[]} drafts the id of the first names the tap; a tap that is saved is not saved again
 * @param {BlobDraft[]} [blobs] what the drafts name by hash
 * @param {{now?: Date}} [options]
 * @returns {Promise<Array<{id: string}>>} the ids, when everything is safely on the phone
 * @throws {SaveFailed} when it is not: keep the form as it is
 */
export async function saveDrafts(store, drafts, blobs = [], {now = new Date()} = {}) {
  if (!store.enrolled) throw new SaveFailed('not_enrolled')
  const named = await withIds(drafts)
  const hashes = await checkBlobs(blobs)
  try {
    await store.update(memory => changesFor(memory, named, blobs, hashes, now))
    // Also for a tap that was there already: "Saved" is shown for it a second time.
    const ids = named.map(one => one.id)
    await proveSaved(store, ids, hashes)
  } catch (error) {
    if (error instanceof TypeError) throw error // a draft that makes no sense: a mistake in the app
    throw SaveFailed.from(error)
  }
  store.notifySaved()
  return named.map(({id}) => ({id}))
}

/** @param {Draft[]} drafts @returns {Promise<Array<Draft & {id: string}>>} */
async function withIds(drafts) {
  if (new Set(drafts.map(draft => draft.id || draft)).size < drafts.length)
    throw new TypeError('two drafts have one id')
  const first = drafts[0]?.id || uuid7()
  // Further ids follow from the first, or a form sent twice would save its second half twice.
  return Promise.all(
    drafts.map(async (draft, n) => ({
      ...draft,
      id: n === 0 ? first : draft.id || (await uuid7After(first, n)),
    })),
  )
}

/** @param {BlobDraft[]} blobs @returns {Promise<string[]>} their hashes */
async function checkBlobs(blobs) {
  for (const blob of blobs) {
    if (!(blob.bytes instanceof ArrayBuffer) || blob.bytes.byteLength === 0)
      throw new TypeError('a blob is a filled ArrayBuffer')
    if ((await sha256(blob.bytes)) !== blob.sha256) throw new TypeError('a blob has another hash')
  }
  return blobs.map(blob => blob.sha256)
}

/**
 * @param {Memory} memory @param {Array<Draft & {id: string}>} drafts @param {BlobDraft[]} blobs
 * @param {string[]} hashes of `blobs` @param {Date} now @returns {Promise<Change[]>}
 */
async function changesFor(memory, drafts, blobs, hashes, now) {
  const person = personOf(memory)
  if (!person) throw new SaveFailed('nobody')
  const fresh = drafts.filter(({id}) => !memory.outbox.has(id) && !memory.receipts.has(id))
  if (fresh.length === 0) return []
  const device = memory.meta.get('device')?.value
  const values = []
  for (const [n, draft] of fresh.entries()) {
    const numbered = {id: device.id, seq: device.device_seq + n + 1}
    values.push(await outboxValue(memory, draft, person, numbered, now))
  }
  const known = (/** @type {string} */ hash) =>
    hashes.includes(hash) || memory.blobs.has(hash) || memory.receipts.has(hash)
  if (!values.every(one => blobsOf(one.operation).every(known)))
    throw new TypeError('an operation names a blob that is not there')
  const visit = values[0].visit
  return [
    // The number and the operations that carry it: one transaction, so there are no gaps, and a
    // tab that was slower computes its own anew.
    metaChange('device', {...device, device_seq: device.device_seq + values.length}),
    ...values.map(value => put('outbox', value)),
    ...struckBlobs(memory, values),
    // The same picture once more: the server may have deleted it since, so it is offered again.
    ...hashes.filter(id => memory.receipts.has(id)).map(id => drop('receipts', id)),
    ...blobs
      .filter(blob => !memory.blobs.has(blob.sha256))
      .map(({sha256: id, type, bytes}) => put('blobs', {id, by: person.id, visit, type, bytes})),
  ]
}

/**
 * Pictures of photos that are being struck out: they leave this phone at once, unless another photo
 * names them.
 * @param {Memory} memory @param {ReadableRow[]} values @returns {Change[]}
 */
function struckBlobs(memory, values) {
  const targets = values
    .filter(one => one.operation.kind === 'visit.retract')
    .map(one => one.operation.data.operation)
  const isStruck = (/** @type {OutboxValue} */ row) =>
    targets.includes(row.id) && row.operation?.kind === 'visit.photo'
  const rows = targets.length > 0 ? [...memory.outbox.values(), ...values] : []
  const needed = new Set(
    rows.filter(row => !isStruck(row)).flatMap(row => blobsNeeded(memory, row)),
  )
  return rows
    .filter(isStruck)
    .map(row => row.operation?.data.photo)
    .filter(id => memory.blobs.has(id) && !needed.has(id))
    .map(id => drop('blobs', id))
}

/**
 * @param {Memory} memory @param {Draft & {id: string}} draft @param {Person} person
 * @param {{id: string, seq: number}} device @param {Date} now @returns {Promise<ReadableRow>}
 */
async function outboxValue(memory, {id, kind, subject, data}, person, device, now) {
  const visit = visitOf({subject})
  let text
  try {
    text = encode({
      id,
      kind,
      subject,
      by: person.id,
      device: device.id,
      device_seq: device.seq,
      at: localIso(now),
      base: memory.visits.get(visitKey(person.id, visit))?.seq ?? 0,
      data,
    })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw error.message.endsWith('bytes')
      ? new SaveFailed('too_large', error)
      : new TypeError(error.message, {cause: error})
  }
  return {
    id,
    by: person.id,
    visit,
    sha256: await sha256(bytesOf(text)),
    text,
    operation: JSON.parse(text),
  }
}

/**
 * Read back what was written.
 * @param {Store} store @param {string[]} ids @param {string[]} hashes
 * @throws {SaveFailed} `read_back`
 */
async function proveSaved(store, ids, hashes) {
  for (const id of ids) {
    const row = await store.readBack('outbox', id)
    // Gone from the outbox with a receipt: the server has it.
    if (!row && (await store.readBack('receipts', id))) continue
    if (!row || !(await isIntact(row.text, row.sha256))) throw new SaveFailed('read_back')
  }
  for (const hash of hashes) {
    const row = await store.readBack('blobs', hash)
    if (!row || (await sha256(row.bytes)) !== hash) throw new SaveFailed('read_back')
  }
}

/**
 * Everything that is not finished with the server, oldest first; all persons' of this phone. Of
 * another person's operations it lists that they are there and whose, not their content (kind and
 * visit "", data {}): signing out hides them.
 * @param {Store} store @returns {Promise<Listed[]>}
 */
export const unsent = store => listed(store, (memory, row) => !isDone(memory, row))

/** What the office keeps as it is, of the person signed in; as in `unsent`. @param {Store} store */
export const filed = store =>
  listed(store, (memory, row) => row.by === personOf(memory)?.id && isFiled(memory, row))

/**
 * @param {Store} store @param {(memory: Memory, row: OutboxValue) => boolean} wanted
 * @returns {Promise<Listed[]>}
 */
async function listed(store, wanted) {
  if (!store.enrolled) return []
  const memory = await store.read()
  const {people} = await store.facts()
  const reader = personOf(memory)?.id
  return inOrder(memory)
    .filter(row => wanted(memory, row))
    .map(row => {
      const state = whereIs(memory, row)
      const {kind = '', at = '', data = {}} = row.operation ?? {}
      const {problem = '', comment = ''} =
        problemOf(memory, row) ?? memory.receipts.get(row.id) ?? {}
      const content =
        row.by === reader
          ? {kind, visit: row.visit, comment, data}
          : {kind: '', visit: '', comment: '', data: {}}
      return {id: row.id, by: row.by, by_name: people[row.by] ?? '', at, state, problem, ...content}
    })
}

/**
 * Hand over to the office what waits here for somebody who does not come back: it is offered under
 * the session of whoever is signed in, the server holds it, a supervisor decides. Its content stays
 * hidden on this phone, and what the author writes later waits again.
 * @param {Store} store @param {string} by the author
 * @throws {SaveFailed} `nobody` when nobody is signed in
 */
export async function handOver(store, by) {
  await store.update(memory => {
    if (!personOf(memory)) throw new SaveFailed('nobody')
    const ids = inOrder(memory)
      .filter(row => row.by === by && whereIs(memory, row) === 'waits')
      .map(row => row.id)
    return ids.length > 0
      ? [metaChange('handed', [...(memory.meta.get('handed')?.value ?? []), ...ids])]
      : []
  })
  store.notifySaved()
}

/**
 * How many operations: `unsent` are on this phone only (`waits` of them for another person to sign
 * in), `needs` are with the server, or refused by it, and need someone.
 * @param {Store} store @returns {Promise<{unsent: number, needs: number, waits: number}>}
 */
export async function counts(store) {
  if (!store.enrolled) return {unsent: 0, needs: 0, waits: 0}
  const memory = await store.read()
  const found = {phone: 0, needs: 0, waits: 0, sent: 0, filed: 0}
  for (const row of memory.outbox.values()) found[whereIs(memory, row)]++
  return {unsent: found.phone + found.waits, needs: found.needs, waits: found.waits}
}
