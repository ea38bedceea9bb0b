// What the phone has saved: everything but the blobs in one Memory, changed in transactions.
// Invariant (I1): a change is one strict transaction, said to be done only after `complete`; two
// tabs that write at once take turns. Reads come from a copy in memory that is used only while the
// database says that nobody has written since. It refuses to create a database but at enrolment; one
// that does not open is kept, and what it holds is fetched as soon as it can be read (salvage.js).

import {browserBallast} from './ballast.js'
import {browserCanaries, detectLoss, readMarks, writeMarks} from './canary.js'
import {Database, PATIENCE_MS, StoreMissing, begin, isUnopenable, databaseName, databaseNumbers} from './database.js'
import {newKey, uuid4} from '../record/ids.js'
import {fileOf, filesOf, isDone, personOf} from '../record/replay.js'
import {STORES, metaChange, rowOf, valueOfRow} from './rows.js'
import {salvage} from './salvage.js'

const RACES_MAX = 100

/** @typedef {{change: number, meta: Map<string, {id: string, value: any}>, outbox: Map<string, import('./rows.js').OutboxValue>,
 *   receipts: Map<string, import('./rows.js').Receipt>, visits: Map<string, import('./rows.js').VisitValue>, blobs: Set<string>}} Memory
 *   everything but the blobs' bytes, as of the `change`th write; shared: read, never change */
/** @typedef {{put: string, value: any}|{drop: string, id: string}} Change into or out of the store it names */

/** A save that did not happen: nothing of it is in the database, or it cannot be proved to be.
 * `code`: connection, quota, read_back, app_older, missing, not_enrolled, nobody, too_large. */
export class SaveFailed extends Error {
  /** @param {string} code @param {unknown} [cause] */
  constructor(code, cause) {
    super(`not saved: ${code}`, {cause})
    this.name = 'SaveFailed'
    this.code = code
  }

  /** @param {unknown} error @returns {SaveFailed} */
  static from(error) {
    if (error instanceof SaveFailed) return error
    return new SaveFailed({QuotaExceededError: 'quota', VersionError: 'app_older', StoreMissing: 'missing'}[error?.name] ?? 'connection', error)
  }
}

// What is lost where not even the canaries know.
const UNKNOWN = {reason: '', device: '', device_seq: 0, unsent: 0}

let shared = null

/**
 * The phone's store; without options the one of this page.
 * @param {{name?: string, canaries?: import('./canary.js').Canary[], wait?: (ms: number) => Promise<void>, patience?: number,
 *   ballast?: import('./ballast.js').Ballast}} [options] for tests
 * @returns {Promise<Store>} `enrolled` false where there is no database
 */
export function openStore(options) {
  if (options) return new Store(options).start()
  shared ??= new Store({patience: PATIENCE_MS}).start().catch(error => {
    shared = null
    throw error
  })
  return shared
}

const sleep = ms => new Promise(resolve => { setTimeout(resolve, ms) })

export class Store {
  enrolled = false
  /** @type {{id: string, since: string, key: string}|null} */
  device = null
  /** A save needed the space that was held back for it: there is hardly any left. */
  tight = false
  /** What was lost on this phone, until the next start after it was reported.
   * `reason`: emptied, rolled_back, other, unopenable.
   * @type {{reason: string, device: string, device_seq: number, unsent: number}|null} */
  lost = null
  /** Settles when what earlier databases of this phone hold has been fetched, or could not be. */
  salvaged = Promise.resolve()
  #name
  #number = 1
  #canaries
  #wait
  #patience
  #ballast
  #database
  #memory = null
  #asked = null
  #turn = Promise.resolve()
  #listeners = new Set()
  #marking = null

  constructor({name = 'troskel', canaries = browserCanaries(), wait = sleep, patience = Infinity, ballast = browserBallast()}) {
    this.#name = name
    this.#canaries = canaries
    this.#wait = wait
    this.#patience = patience
    this.#ballast = ballast
  }

  /** @returns {Promise<this>} */
  async start() {
    // Before the database: a canary read after it could have been written by a save in between,
    // and would cry without need.
    const marks = await readMarks(this.#canaries)
    this.#take(Math.max(1, ...await databaseNumbers(this.#name, this.#patience), ...marks.map(mark => mark.database ?? 1)))
    try {
      await this.#adopt(marks)
    } catch (error) {
      if (error instanceof StoreMissing) this.lost = detectLoss(null, marks) ?? (error.wiped ? {...UNKNOWN, reason: 'emptied'} : null)
      else if (isUnopenable(error)) this.lost = {...UNKNOWN, ...detectLoss(null, marks), reason: 'unopenable'}
      else throw error
    }
    return this
  }

  #take(number) {
    this.#number = number
    this.#database = new Database(databaseName(this.#name, number), this.#wait, this.#patience)
  }

  async #adopt(marks) {
    const {meta} = await this.read()
    const device = meta.get('device').value
    const lost = detectLoss(device, marks)
    // A phone enrolled before phones had keys. Put back to such a copy it is a new device: the
    // server knows another key under the old name.
    if (!device.key) await this.#giveKey(lost?.reason === 'rolled_back')
    const {id, since, key} = device.key ? device : (await this.read()).meta.get('device').value
    this.device = {id, since, key}
    this.enrolled = true
    if (lost) await this.#admit(lost)
    this.lost = (lost || !device.key ? await this.read() : {meta}).meta.get('lost')?.value ?? null
    await this.#mark()
    this.salvaged = this.#salvage(await this.#others())
  }

  #giveKey(isNew) {
    return this.update(memory => {
      const device = memory.meta.get('device').value
      return device.key ? [] : [metaChange('device', {...device, ...(isNew ? {id: uuid4(), device_seq: 0} : {}), key: newKey()})]
    })
  }

  /** Remember a loss until the server has heard of it. */
  async #admit(lost) {
    await this.update(memory => {
      const device = memory.meta.get('device').value
      // Numbers the lost operations had are not used again: the server sees a gap, and which.
      const deviceSeq = lost.reason === 'rolled_back' ? Math.max(lost.device_seq, device.device_seq) : device.device_seq
      return [metaChange('lost', lost), metaChange('device', {...device, device_seq: deviceSeq})]
    })
  }

  /** Make this phone's database and its name as a device. Does nothing where there is one. */
  async enrol() {
    if (this.enrolled) return
    const device = {id: uuid4(), device_seq: 0, since: new Date().toISOString(), key: newKey()}
    const first = [metaChange('device', device), ...(this.lost ? [metaChange('lost', this.lost)] : [])]
    if (this.lost?.reason === 'unopenable') this.#take(this.#number + 1)
    await this.#database.create(await Promise.all(first.map(one => rowOf('meta', one.value))))
    await this.#adopt([])
  }

  /** Open this phone's other databases. Waited for, because nothing else may be in flight: Chromium's
   * newer store forgets the transactions that run while a neighbour fails to open. */
  async #others() {
    const earlier = Array.from({length: this.#number - 1}, (_, n) => n + 1)
    const found = []
    for (const number of new Set([...await databaseNumbers(this.#name, this.#patience), ...earlier])) {
      if (number === this.#number) continue
      const other = new Database(databaseName(this.#name, number), this.#wait, this.#patience)
      try {
        await other.run(() => {})
        found.push(other)
      } catch (error) {
        logUnreadable(error)
      }
    }
    return found
  }

  /** Fetch what they hold; they stay as they are, and are asked at each start. */
  async #salvage(others) {
    for (const other of others) {
      try {
        const {changes} = await salvage(other)
        await this.update(changes)
      } catch (error) {
        logUnreadable(error)
      } finally {
        other.close()
      }
    }
  }

  // --- who, and what they see

  /** @returns {Promise<any|null>} the person signed in on this phone */
  async person() { return this.enrolled ? personOf(await this.read()) : null }

  /** @param {{id: string, name: string}} person as the server tells it */
  async signIn(person) {
    if (!this.enrolled) throw new SaveFailed('not_enrolled')
    await this.update(() => [
      metaChange('person', {...person, signed_in_at: new Date().toISOString()}),
      // Someone has just given their password to this server: the next answer says who it is.
      metaChange('new_server', true),
    ])
  }

  /** Hide the person's visits. Deletes nothing of them. */
  async signOut() {
    if (this.enrolled) await this.update(memory => (memory.meta.has('person') ? [{drop: 'meta', id: 'person'}] : []))
  }

  /** The visits of the person signed in, own operations on top: `[{id, record, state, tenancy,
   * settings, unsent, held, status}]`. Shared values: read, never change. */
  async visits() { return this.enrolled ? filesOf(await this.read()) : [] }

  /** One visit as in `visits()`, or null. @param {string} id */
  async visit(id) { return this.enrolled ? fileOf(await this.read(), id) : null }

  /** What the server last told besides visits. */
  async facts() {
    const meta = this.enrolled ? (await this.read()).meta : new Map()
    const fact = (name, otherwise) => meta.get(name)?.value ?? otherwise
    const person = fact('person', null)
    return {
      people: {...(person ? {[person.id]: person.name} : {}), ...fact('people', {})}, guide: fact('guide', ''),
      server_day: fact('server_day', ''), clock_offset_ms: fact('clock_offset_ms', 0),
      languages: fact('languages', []), recordings: fact('recordings', {}), last_ok_at: fact('last_ok_at', ''),
    }
  }

  /** A signature or picture of this phone. @param {string} sha256 @returns {Promise<{type: string, bytes: ArrayBuffer}|null>} */
  async blob(sha256) {
    const row = this.enrolled ? await this.readBack('blobs', sha256) : null
    return row && {type: row.type, bytes: row.bytes}
  }

  /** The server has seen numbers of this phone under other operations: it was put back to an older copy. */
  reportRollback() {
    this.lost ??= {reason: 'rolled_back', device: this.device.id, device_seq: 0, unsent: 0}
  }

  /** Call `listener` after each save of operations. @param {() => void} listener @returns {() => void} stops it */
  onSave(listener) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tell that operations were saved. */
  notifySaved() { for (const listener of this.#listeners) listener() }

  // --- for outbox.js and sync/

  /** Everything but the blobs' bytes, true at this moment. @returns {Promise<Memory>} */
  read() {
    // Those who ask in one breath ask once: nothing is read before the last of them has asked, so
    // that nobody is told what was true earlier.
    this.#asked ??= Promise.resolve().then(() => {
      this.#asked = null
      return this.#current()
    })
    return this.#asked
  }

  async #current() {
    const change = (await this.#get('meta', 'change')).value
    if (this.#memory?.change !== change) this.#memory = await this.#load()
    return this.#memory
  }

  /** What the database itself holds, past the memory. @param {string} store @param {string} id @returns {Promise<any|null>} */
  async readBack(store, id) {
    const row = await this.#get(store, id)
    return row ? valueOfRow(store, row) : null
  }

  #get(store, id) { return this.#database.run(db => begin(db, [store], 'readonly').objectStore(store).get(id)) }

  /**
   * Change the database: `compute` says how, from what is there; it is asked again when another
   * tab was faster. All of it in one strict transaction, or none.
   * @param {(memory: Memory) => Change[]|Promise<Change[]>} compute may be called more than once; must not write
   * @throws {Error} what IndexedDB said, after trying again
   */
  update(compute) {
    const run = this.#turn.then(() => this.#update(compute))
    this.#turn = run.catch(() => {})
    return run
  }

  async #update(compute) {
    for (let race = 0; race < RACES_MAX; race++) {
      const memory = await this.read()
      const {change} = memory
      const changes = await compute(memory)
      if (changes.length === 0) return
      // Everything that takes time before the transaction: it would close by itself meanwhile.
      const rows = await Promise.all(changes.map(one => (one.put ? rowOf(one.put, one.value) : null)))
      if (await this.#written(changes, rows, change)) {
        this.#remember(changes, change)
        void this.#mark()
        return
      }
    }
    throw new DOMException('other tabs write all the time', 'AbortError')
  }

  async #written(changes, rows, change) {
    try {
      return await this.#database.run(db => this.#commit(db, changes, rows, change))
    } catch (error) {
      // Words and consents get the space held back for them; pictures do not.
      const isPicture = changes.some(one => one.put === 'blobs' && one.value.type !== 'image/svg+xml')
      if (error?.name !== 'QuotaExceededError' || isPicture || !await this.#ballast.drop()) throw error
      this.tight = true
      return this.#database.run(db => this.#commit(db, changes, rows, change))
    }
  }

  async #commit(db, changes, rows, change) {
    const names = new Set(['meta', ...changes.map(one => one.put ?? one.drop)])
    const tx = begin(db, [...names], 'readwrite')
    const before = await tx.objectStore('meta').get('change')
    if (before.value !== change) {
      tx.abort()
      return false
    }
    await Promise.all([
      ...changes.map((one, i) => apply(tx, one, rows[i])),
      apply(tx, {put: 'meta'}, {id: 'change', value: change + 1}),
      tx.done, // a request that succeeded is not a commit: iOS aborts in between
    ])
    return true
  }

  #remember(changes, change) {
    const memory = this.#memory
    if (memory?.change !== change) return
    for (const {put, value, drop, id} of changes) {
      if (drop) memory[drop].delete(id)
      else if (put === 'blobs') memory.blobs.add(value.id)
      else memory[put].set(value.id, value)
    }
    memory.change = change + 1
  }

  async #load() {
    const [metaRows, outboxRows, receiptRows, visitRows, keys] = await this.#database.run(db => {
      const tx = begin(db, STORES, 'readonly')
      return Promise.all([...STORES.map(async name => (name === 'blobs' ? tx.objectStore(name).getAllKeys() : tx.objectStore(name).getAll())), tx.done])
    })
    const mapOf = async (name, rows) => new Map((await Promise.all(rows.map(row => valueOfRow(name, row)))).map(one => [one.id, one]))
    const [meta, outbox, receipts, visits] = await Promise.all([
      mapOf('meta', metaRows.filter(row => row.id !== 'change')), mapOf('outbox', outboxRows), mapOf('receipts', receiptRows), mapOf('visits', visitRows),
    ])
    return {change: metaRows.find(row => row.id === 'change').value, meta, outbox, receipts, visits, blobs: new Set(keys)}
  }

  // --- the canaries

  /** Bring the canaries up to date; one at a time, the newest last. */
  #mark() {
    const go = async () => {
      const memory = await this.read()
      const {id, device_seq} = memory.meta.get('device').value
      const unsent = [...memory.outbox.values()].filter(row => !isDone(memory, row)).length
      await writeMarks(this.#canaries, {device: id, device_seq, unsent, database: this.#number})
    }
    if (this.#marking) {
      this.#marking.again = true
      return this.#marking.done
    }
    const turn = {again: false, done: null}
    this.#marking = turn
    turn.done = go().catch(() => {}).then(() => {
      this.#marking = null
      return turn.again ? this.#mark() : undefined
    })
    return turn.done
  }
}

// The next start tries again.
const logUnreadable = error => {
  if (!(error instanceof StoreMissing)) console.error('An earlier database cannot be read', error)
}

// async: a request that throws at once must be one failure among others, or those go unheard.
async function apply(tx, {put, drop, id}, row) {
  if (drop) return tx.objectStore(drop).delete(id)
  // add() fails where put() would write over: bytes in the outbox are fixed.
  return put === 'outbox' ? tx.objectStore(put).add(row) : tx.objectStore(put).put(row)
}
