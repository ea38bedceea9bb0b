// What the phone has saved, as the rest of the app sees it: who is signed in, their visits, facts
// from the server. Behind it: one database (database.js) with its reads and writes (tables.js),
// canaries that notice when a browser loses data (canary.js), earlier databases (salvage.js).
// Invariant: a database is created at enrolment only; one that does not open is kept, its loss is
// reported, and what it holds is copied as soon as it can be read.

import {newKey, uuid4} from '../record/ids.js'
import {fileOf, filesOf, isDone, personOf} from '../record/replay.js'
import {browserBallast} from './ballast.js'
import {browserCanaries, CanaryWriter, detectLoss, readMarks} from './canary.js'
import {
  Database,
  databaseName,
  databaseNumbers,
  isUnopenable,
  PATIENCE_MS,
  StoreMissing,
} from './database.js'
import {drop, metaChange, rowOf} from './rows.js'
import {openOthers, salvageAll} from './salvage.js'
import {SaveFailed} from './save_failed.js'
import {Tables} from './tables.js'

/**
 * @import {Change, Device, Facts, Loss, Memory, OwnVisit, Person, StoreName} from '../record/shapes.d.ts'
 */

/**
 * @typedef {{name?: string, canaries?: import('./canary.js').Canary[],
 *   wait?: (ms: number) => Promise<void>, patience?: number,
 *   ballast?: import('./ballast.js').Ballast}} Options
 */

/** What is lost where not even the canaries know. @type {Loss} */
const UNKNOWN = {reason: '', device: '', device_seq: 0, unsent: 0}

/** @type {Promise<Store>|null} */
let shared = null

/**
 * The phone's store; without options the one of this page.
 * @param {Options} [options] for tests
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

/** @param {Memory['meta']} meta @returns {Device & {device_seq: number}} */
const deviceOf = meta => meta.get('device')?.value

/** @param {number} ms @returns {Promise<void>} */
const sleep = ms =>
  new Promise(resolve => {
    setTimeout(resolve, ms)
  })

export class Store {
  enrolled = false
  /** @type {Device|null} null before enrolment */
  device = null
  /** What was lost on this phone, until the next start after it was reported. @type {Loss|null} */
  lost = null
  /** Settles when what earlier databases of this phone hold has been copied, or could not be. */
  salvaged = Promise.resolve()
  #options
  #number = 1
  /** @type {Tables} */
  #tables
  #canaryWriter
  /** @type {Set<() => void>} */
  #listeners = new Set()

  /** @param {Options} options */
  constructor({
    name = 'troskel',
    canaries = browserCanaries(),
    wait = sleep,
    patience = Infinity,
    ballast = browserBallast(),
  }) {
    this.#options = {name, canaries, wait, patience, ballast}
    this.#canaryWriter = new CanaryWriter(canaries, () => this.#mark())
    this.#tables = this.#open(1)
  }

  /** A save needed the space that was held back for it: there is hardly any left. */
  get tight() {
    return this.#tables.tight
  }

  /** @returns {Promise<this>} */
  async start() {
    // Canaries first: one that is read after the database could have been written by a save in
    // between, and would raise a false alarm.
    const marks = await readMarks(this.#options.canaries)
    const {name, patience} = this.#options
    const numbers = await databaseNumbers(name, patience)
    this.#tables = this.#open(Math.max(1, ...numbers, ...marks.map(mark => mark.database ?? 1)))
    try {
      await this.#adopt(marks)
    } catch (error) {
      if (error instanceof StoreMissing)
        this.lost =
          detectLoss(null, marks) ?? (error.wiped ? {...UNKNOWN, reason: 'emptied'} : null)
      else if (isUnopenable(error))
        this.lost = {...UNKNOWN, ...detectLoss(null, marks), reason: 'unopenable'}
      else throw error
    }
    return this
  }

  /** Reads and writes of the database of this number, in use from now on. @param {number} number */
  #open(number) {
    const {name, wait, patience, ballast} = this.#options
    this.#number = number
    const database = new Database(databaseName(name, number), wait, patience)
    return new Tables(database, ballast, () => void this.#canaryWriter.write())
  }

  /**
   * Open the database, and compare it with the canaries.
   * @param {import('./canary.js').Mark[]} marks @throws {Error} where it does not open
   */
  async #adopt(marks) {
    const {meta} = await this.read()
    const device = deviceOf(meta)
    const lost = detectLoss(device, marks)
    // A phone enrolled before phones had keys. Put back to such a copy it is a new device: the
    // server knows another key under the old name.
    if (!device.key) await this.#giveKey(lost?.reason === 'rolled_back')
    const {id, since, key} = device.key ? device : deviceOf((await this.read()).meta)
    this.device = {id, since, key}
    this.enrolled = true
    if (lost) await this.#recordLoss(lost)
    this.lost = (lost || !device.key ? await this.read() : {meta}).meta.get('lost')?.value ?? null
    await this.#canaryWriter.write()
    const others = await openOthers(this.#number, this.#options)
    this.salvaged = salvageAll(others, changes => this.update(changes))
  }

  /** @param {boolean} isNew this phone also gets another id */
  #giveKey(isNew) {
    return this.update(memory => {
      const device = deviceOf(memory.meta)
      if (device.key) return []
      const renamed = isNew ? {id: uuid4(), device_seq: 0} : {}
      return [metaChange('device', {...device, ...renamed, key: newKey()})]
    })
  }

  /** Remember a loss until the server has acknowledged its report. @param {Loss} lost */
  async #recordLoss(lost) {
    await this.update(memory => {
      const device = deviceOf(memory.meta)
      // Numbers the lost operations had are not used again: the server sees a gap, and which.
      const deviceSeq =
        lost.reason === 'rolled_back'
          ? Math.max(lost.device_seq, device.device_seq)
          : device.device_seq
      return [metaChange('lost', lost), metaChange('device', {...device, device_seq: deviceSeq})]
    })
  }

  /** Make this phone's database and its name as a device. Does nothing where there is one. */
  async enrol() {
    if (this.enrolled) return
    const device = {id: uuid4(), device_seq: 0, since: new Date().toISOString(), key: newKey()}
    const first = [
      {id: 'device', value: device},
      ...(this.lost ? [{id: 'lost', value: this.lost}] : []),
    ]
    if (this.lost?.reason === 'unopenable') this.#tables = this.#open(this.#number + 1)
    await this.#tables.create(await Promise.all(first.map(one => rowOf('meta', one))))
    await this.#adopt([])
  }

  // --- who, and what they see

  /** @returns {Promise<any|null>} the person signed in on this phone */
  async person() {
    return this.enrolled ? personOf(await this.read()) : null
  }

  /** @param {Person} person as the server names them */
  async signIn(person) {
    if (!this.enrolled) throw new SaveFailed('not_enrolled')
    await this.update(() => [
      metaChange('person', {...person, signed_in_at: new Date().toISOString()}),
      // Someone has just given their password to this server: its next answer may name a new id.
      metaChange('new_server', true),
    ])
  }

  /** Hide the person's visits. Deletes nothing of them. */
  async signOut() {
    if (this.enrolled)
      await this.update(memory => (memory.meta.has('person') ? [drop('meta', 'person')] : []))
  }

  /**
   * The visits of the person signed in, own operations on top. Shared values: read, never change.
   * @returns {Promise<OwnVisit[]>}
   */
  async visits() {
    return this.enrolled ? filesOf(await this.read()) : []
  }

  /** One visit as in `visits()`, or null. @param {string} id @returns {Promise<OwnVisit|null>} */
  async visit(id) {
    return this.enrolled ? fileOf(await this.read(), id) : null
  }

  /** What the server last sent besides visits. @returns {Promise<Facts>} */
  async facts() {
    const meta = this.enrolled ? (await this.read()).meta : new Map()
    const fact = (/** @type {string} */ name, /** @type {any} */ otherwise) =>
      meta.get(name)?.value ?? otherwise
    /** @returns {Promise<Person|null>} who is signed in on this phone */
    const person = fact('person', null)
    return {
      people: {...(person ? {[person.id]: person.name} : {}), ...fact('people', {})},
      guide: fact('guide', ''),
      server_day: fact('server_day', ''),
      clock_offset_ms: fact('clock_offset_ms', 0),
      languages: fact('languages', []),
      recordings: fact('recordings', {}),
      last_ok_at: fact('last_ok_at', ''),
    }
  }

  /**
   * A signature or picture of this phone.
   * @param {string} sha256 @returns {Promise<{type: string, bytes: ArrayBuffer}|null>}
   */
  async blob(sha256) {
    const row = this.enrolled ? await this.readBack('blobs', sha256) : null
    return row && {type: row.type, bytes: row.bytes}
  }

  /**
   * The server has seen numbers of this phone under other operations: it was put back to an older
   * copy.
   */
  reportRollback() {
    this.lost ??= {...UNKNOWN, reason: 'rolled_back', device: this.device?.id ?? ''}
  }

  /**
   * Call `listener` after each save of operations.
   * @param {() => void} listener @returns {() => void} stops it
   */
  onSave(listener) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Call the listeners of `onSave`. */
  notifySaved() {
    for (const listener of this.#listeners) listener()
  }

  // --- for outbox.js and sync/

  /** Everything but the blobs' bytes, true at this moment. @returns {Promise<Memory>} */
  read() {
    return this.#tables.read()
  }

  /**
   * What the database itself holds, past the memory.
   * @param {StoreName} store @param {string} id @returns {Promise<any|null>}
   */
  readBack(store, id) {
    return this.#tables.readBack(store, id)
  }

  /**
   * Change the database as `compute` says; see Tables.update.
   * @param {(memory: Memory) => Change[]|Promise<Change[]>} compute may be called more than once;
   * must not write
   */
  update(compute) {
    return this.#tables.update(compute)
  }

  /** What the canaries are to know. @returns {Promise<import('./canary.js').Mark>} */
  async #mark() {
    const memory = await this.read()
    const {id, device_seq} = deviceOf(memory.meta)
    const unsent = [...memory.outbox.values()].filter(row => !isDone(memory, row)).length
    return {device: id, device_seq, unsent, database: this.#number}
  }
}
