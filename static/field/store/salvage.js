// What an earlier database of this phone still holds. One that did not open was replaced by a new
// one at enrolment and may open again some day. Invariant (I1): its operations are copied with
// their ids and exact bytes, and sent under the device they were made on; nothing is changed or
// deleted there. Read store by store, and row by row where that fails: one bad page must not hide
// the rest.

import {blobsOf} from '../record/operations.js'
import {begin, Database, databaseName, databaseNumbers, StoreMissing} from './database.js'
import {metaChange, put, valueOfRow} from './rows.js'

/**
 * @import {BlobValue, Change, Device, Memory, OutboxValue, StoreName} from '../record/shapes.d.ts'
 */

/**
 * Open this phone's other databases. Awaited at the start, because nothing else may be in flight:
 * Chromium's newer store forgets the transactions that run while a neighbour fails to open.
 * @param {number} current the number of the database in use
 * @param {{name: string, wait: (ms: number) => Promise<void>, patience: number}} options
 * @returns {Promise<Database[]>} those that open
 */
export async function openOthers(current, {name, wait, patience}) {
  const earlier = Array.from({length: current - 1}, (_, n) => n + 1)
  const found = []
  for (const number of new Set([...(await databaseNumbers(name, patience)), ...earlier])) {
    if (number === current) continue
    const other = new Database(databaseName(name, number), wait, patience)
    try {
      await other.run(() => {})
      found.push(other)
    } catch (error) {
      logUnreadable(error)
    }
  }
  return found
}

/**
 * Copy what they hold; they stay as they are, and are read at each start.
 * @param {Database[]} others
 * @param {(compute: (memory: Memory) => Change[]) => Promise<void>} update
 */
export async function salvageAll(others, update) {
  for (const other of others) {
    try {
      const {changes} = await salvage(other)
      await update(changes)
    } catch (error) {
      logUnreadable(error)
    } finally {
      other.close()
    }
  }
}

// The next start tries again.
/** The next start tries again. @param {unknown} error */
const logUnreadable = error => {
  if (!(error instanceof StoreMissing)) console.error('An earlier database cannot be read', error)
}

/**
 * @param {Database} database the earlier one
 * @returns {Promise<{changes: (memory: Memory) => Change[]}>} what to add to the present one
 */
async function salvage(database) {
  const rows = (
    await Promise.all((await rowsOf(database, 'outbox')).map(row => valueOfRow('outbox', row)))
  ).filter(row => row.operation)
  const [device] = await Promise.all(
    (await rowsOf(database, 'meta'))
      .filter(row => row.id === 'device')
      .map(row => valueOfRow('meta', row)),
  )
  const named = new Set(rows.flatMap(row => blobsOf(row.operation)))
  /** @type {BlobValue[]} */
  const blobs = []
  for (const hash of named) blobs.push(...(await rowsOf(database, 'blobs', hash)))
  return {changes: memory => changesOf(memory, rows, blobs, device?.value)}
}

/**
 * @param {Memory} memory @param {OutboxValue[]} rows @param {BlobValue[]} blobs
 * @param {Device|undefined} device the earlier one @returns {Change[]}
 */
function changesOf(memory, rows, blobs, device) {
  const known = (/** @type {string} */ id) => memory.meta.get(id)?.value
  // What came over once has left for good since: nothing of a protected visit may come back.
  const taken = new Set(known('salvaged'))
  const fresh = rows.filter(row => !taken.has(row.id) && !memory.outbox.has(row.id))
  if (fresh.length === 0) return []
  const named = new Set(fresh.flatMap(row => (row.operation ? blobsOf(row.operation) : [])))
  return [
    ...fresh.map(value => put('outbox', value)),
    ...blobs
      .filter(blob => named.has(blob.id) && !memory.blobs.has(blob.id))
      .map(value => put('blobs', value)),
    metaChange('recovered', (known('recovered') ?? 0) + fresh.length),
    metaChange('salvaged', [...taken, ...fresh.map(row => row.id)]),
    // The server knows that device by its key.
    ...(device?.key ? [metaChange('former', {...known('former'), [device.id]: device.key})] : []),
  ]
}

/**
 * @param {Database} database @param {StoreName} store @param {string} [id]
 * @returns {Promise<any[]>}
 */
async function rowsOf(database, store, id) {
  const all = (/** @type {import('./database.js').Connection} */ db) =>
    begin(db, [store], 'readonly').objectStore(store)
  try {
    return await database.run(db => all(db).getAll(id))
  } catch {
    const keys = id ? [id] : await database.run(db => all(db).getAllKeys())
    const found = keys.map(key => database.run(db => all(db).get(key)).catch(() => null))
    return (await Promise.all(found)).filter(Boolean)
  }
}
