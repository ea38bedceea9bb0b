// Reads and writes of one database. Invariant (I1): a change is one strict transaction, reported as
// done only after `complete`; of two tabs that write at once the second computes its change anew,
// because each write names the number of the write it was computed from. Reads come from a copy in
// memory, which is used only while the database's number is still that of the copy. Blobs are not
// in the copy: they are too large.

import {begin} from './database.js'
import {put, rowOf, STORES, valueOfRow} from './rows.js'

/** @import {Change, Memory, StoreName} from '../record/shapes.d.ts' */

/** @typedef {import('./database.js').Connection} Connection */

const RACES_MAX = 100

export class Tables {
  /** A write needed the space that was held back for it: there is hardly any left. */
  tight = false
  #database
  #ballast
  #onWritten
  /** @type {Memory|null} */
  #memory = null
  /** @type {Promise<Memory>|null} */
  #reading = null
  /** @type {Promise<void>} */
  #turn = Promise.resolve()

  /**
   * @param {import('./database.js').Database} database
   * @param {import('./ballast.js').Ballast} ballast
   * @param {() => void} onWritten called after each write
   */
  constructor(database, ballast, onWritten) {
    this.#database = database
    this.#ballast = ballast
    this.#onWritten = onWritten
  }

  /** Make the database with these rows of `meta`. @param {any[]} rows @returns {Promise<void>} */
  create(rows) {
    return this.#database.create(rows)
  }

  /** Everything but the blobs' bytes, true at this moment. @returns {Promise<Memory>} */
  read() {
    // Calls made in one tick share one read. It starts only after the last of them, so that nobody
    // gets what was true before their call.
    this.#reading ??= Promise.resolve().then(() => {
      this.#reading = null
      return this.#current()
    })
    return this.#reading
  }

  /** @returns {Promise<Memory>} */
  async #current() {
    const change = (await this.#get('meta', 'change')).value
    const known = this.#memory
    if (known && known.change === change) return known
    const memory = await this.#load()
    this.#memory = memory
    return memory
  }

  /** @returns {Promise<Memory>} */
  async #load() {
    const [metaRows, outboxRows, receiptRows, visitRows, keys] = await this.#database.run(
      async db => {
        const tx = begin(db, STORES, 'readonly')
        const found = STORES.map(async name => {
          const store = tx.objectStore(name)
          return /** @type {Promise<any[]>} */ (
            name === 'blobs' ? store.getAllKeys() : store.getAll()
          )
        })
        const [rows] = await Promise.all([Promise.all(found), tx.done])
        return rows
      },
    )
    const change = metaRows.find(row => row.id === 'change').value
    const facts = metaRows.filter(row => row.id !== 'change')
    const [meta, outbox, receipts, visits] = await Promise.all([
      mapOf('meta', facts),
      mapOf('outbox', outboxRows),
      mapOf('receipts', receiptRows),
      mapOf('visits', visitRows),
    ])
    return {change, meta, outbox, receipts, visits, blobs: new Set(keys)}
  }

  /**
   * What the database itself holds, past the memory.
   * @param {StoreName} store @param {string} id @returns {Promise<any|null>}
   */
  async readBack(store, id) {
    const row = await this.#get(store, id)
    return row ? valueOfRow(store, row) : null
  }

  /** @param {StoreName} store @param {string} id */
  #get(store, id) {
    return this.#database.run(db => begin(db, [store], 'readonly').objectStore(store).get(id))
  }

  /**
   * Change the database: `compute` says how, from what is there; it is called again when another
   * tab was faster. All of it in one strict transaction, or none.
   * @param {(memory: Memory) => Change[]|Promise<Change[]>} compute must not write
   * @returns {Promise<void>}
   * @throws {Error} what IndexedDB threw, after trying again
   */
  update(compute) {
    const run = this.#turn.then(() => this.#update(compute))
    this.#turn = run.catch(() => {})
    return run
  }

  /** @param {(memory: Memory) => Change[]|Promise<Change[]>} compute */
  async #update(compute) {
    for (let race = 0; race < RACES_MAX; race++) {
      const memory = await this.read()
      const {change} = memory
      const changes = await compute(memory)
      if (changes.length === 0) return
      // Everything that takes time before the transaction: it would close by itself meanwhile.
      const rows = await Promise.all(
        changes.map(one => (one.put ? rowOf(one.put, one.value) : null)),
      )
      if (await this.#written(changes, rows, change)) {
        this.#remember(changes, change)
        this.#onWritten()
        return
      }
    }
    throw new DOMException('other tabs write all the time', 'AbortError')
  }

  /**
   * @param {Change[]} changes @param {any[]} rows @param {number} change
   * @returns {Promise<boolean>}
   */
  async #written(changes, rows, change) {
    try {
      return await this.#database.run(db => commit(db, changes, rows, change))
    } catch (error) {
      // Words and consents get the space held back for them; pictures do not.
      const isPicture = changes.some(
        one => one.put === 'blobs' && one.value.type !== 'image/svg+xml',
      )
      if (error?.name !== 'QuotaExceededError' || isPicture || !(await this.#ballast.drop()))
        throw error
      this.tight = true
      return this.#database.run(db => commit(db, changes, rows, change))
    }
  }

  /** @param {Change[]} changes @param {number} change */
  #remember(changes, change) {
    const memory = this.#memory
    if (memory?.change !== change) return
    for (const one of changes) {
      if (one.drop) memory[one.drop].delete(one.id)
      else if (one.put === 'blobs') memory.blobs.add(one.value.id)
      else memory[one.put].set(one.value.id, one.value)
    }
    memory.change = change + 1
  }
}

/** @param {StoreName} name @param {any[]} rows @returns {Promise<Map<string, any>>} by id */
async function mapOf(name, rows) {
  const values = await Promise.all(rows.map(row => valueOfRow(name, row)))
  return new Map(values.map(one => [one.id, one]))
}

/**
 * One transaction.
 * @param {Connection} db @param {Change[]} changes @param {any[]} rows for each change its row
 * @param {number} change the number of the write that `changes` were computed from
 * @returns {Promise<boolean>} false where another tab has written since
 */
async function commit(db, changes, rows, change) {
  /** @type {Set<StoreName>} */
  const names = new Set(['meta', ...changes.map(one => one.put ?? one.drop)])
  const tx = begin(db, [...names], 'readwrite')
  const before = await tx.objectStore('meta').get('change')
  if (before.value !== change) {
    tx.abort()
    return false
  }
  await Promise.all([
    ...changes.map((one, i) => request(tx, one, rows[i])),
    request(tx, put('meta', null), {id: 'change', value: change + 1}),
    tx.done, // a request that succeeded is not a commit: iOS aborts in between
  ])
  return true
}

/**
 * async: a request that throws at once must reject like any other, or the failures of the others
 * would go unhandled.
 * @param {any} tx @param {Change} change @param {any} row
 */
async function request(tx, change, row) {
  if (change.drop) return tx.objectStore(change.drop).delete(change.id)
  const store = tx.objectStore(change.put)
  // add() fails where put() would write over: bytes in the outbox are fixed.
  return change.put === 'outbox' ? store.add(row) : store.put(row)
}
