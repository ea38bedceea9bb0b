// What an earlier database of this phone still holds. One that did not open was replaced by a new
// one at enrolment and may open again some day. Invariant (I1): its operations come over with their
// ids and exact bytes, and go out under the device they were made on; nothing is changed or deleted
// there. Store by store, row by row where it must be: one bad page must not hide the rest.

import {blobsOf} from '../record/operations.js'
import {begin, Database, databaseName, databaseNumbers, StoreMissing} from './database.js'
import {metaChange, valueOfRow} from './rows.js'

/** @import {Change, Memory} from '../record/shapes.d.ts' */

/**
 * Open this phone's other databases. Awaited at the start, because nothing else may be in flight:
 * Chromium's newer store forgets the transactions that run while a neighbour fails to open.
 * @param {string} base @param {number} current the number of the database in use
 * @param {{wait: (ms: number) => Promise<void>, patience: number}} options as for Database
 * @returns {Promise<Database[]>} those that open
 */
export async function openOthers(base, current, {wait, patience}) {
  const earlier = Array.from({length: current - 1}, (_, n) => n + 1)
  const found = []
  for (const number of new Set([...(await databaseNumbers(base, patience)), ...earlier])) {
    if (number === current) continue
    const other = new Database(databaseName(base, number), wait, patience)
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
 * @param {Database[]} others @param {(compute: (memory: Memory) => Change[]) => Promise<void>} update
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
const logUnreadable = error => {
  if (!(error instanceof StoreMissing)) console.error('An earlier database cannot be read', error)
}

/**
 * @param {import('./database.js').Database} database the earlier one
 * @returns {Promise<{changes: (memory: Memory) => Change[]}>}
 *   what to add to the present one
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
  const blobs = []
  for (const hash of named) blobs.push(...(await rowsOf(database, 'blobs', hash)))
  return {changes: memory => changesOf(memory, rows, blobs, device?.value)}
}

function changesOf(memory, rows, blobs, device) {
  const known = id => memory.meta.get(id)?.value
  // What came over once has left for good since: nothing of a protected visit may come back.
  const taken = new Set(known('salvaged'))
  const fresh = rows.filter(row => !taken.has(row.id) && !memory.outbox.has(row.id))
  if (fresh.length === 0) return []
  const named = new Set(fresh.flatMap(row => blobsOf(row.operation)))
  return [
    ...fresh.map(value => ({put: 'outbox', value})),
    ...blobs
      .filter(blob => named.has(blob.id) && !memory.blobs.has(blob.id))
      .map(value => ({put: 'blobs', value})),
    metaChange('recovered', (known('recovered') ?? 0) + fresh.length),
    metaChange('salvaged', [...taken, ...fresh.map(row => row.id)]),
    // The server knows that device by its key.
    ...(device?.key ? [metaChange('former', {...known('former'), [device.id]: device.key})] : []),
  ]
}

async function rowsOf(database, store, id) {
  const ask = (method, key) =>
    database.run(db => begin(db, [store], 'readonly').objectStore(store)[method](key))
  try {
    return await ask('getAll', id)
  } catch {
    const keys = id ? [id] : await ask('getAllKeys')
    const found = await Promise.all(keys.map(key => ask('get', key).catch(() => null)))
    return found.filter(Boolean)
  }
}
