// One round between phone and server: who is signed in, send, receive, verify, remove what is no
// longer needed. Invariant (I8): a session that ended clears nothing; what could not be sent stays
// for the next round. `status` is what a page may show of the contact: state codes only, no words.

import {personOf} from '../record/replay.js'
import {verifyBlobs} from './blobs.js'
import {hasReport} from './health.js'
import {prefetch} from './prefetch.js'
import {pullAll} from './pull.js'
import {pushAll} from './push.js'
import {blobsToVerify, removals, unconfirmedBlobs} from './retention.js'
import {NotSent, transport} from './transport.js'

/** @import {Person} from '../record/shapes.d.ts' */

const GREET_MS = 6 * 3_600_000

/**
 * @typedef {{running: boolean, online: 'unknown'|'yes'|'no', needs_sign_in: boolean,
 *   last_ok_at: string, problem: string}} Status
 *   `problem`: "", or why the last round did not end well; `last_ok_at`: ISO 8601, "" at first
 */

export class Rounds {
  /** @type {Status} */
  status = {running: false, online: 'unknown', needs_sign_in: false, last_ok_at: '', problem: ''}
  #store
  #wire
  #options
  /** @type {{id: string}|null} the person at the server, as long as nobody can have changed that */
  #session = null
  #greetedAt = 0

  /**
   * @param {import('../store/store.js').Store} store
   * @param {{fetch: typeof globalThis.fetch, health: () => Promise<object>, now: () => Date,
   *   window: any, packs: import('./prefetch.js').Packs|null}} options
   */
  constructor(store, options) {
    this.#store = store
    this.#wire = transport(options.fetch)
    this.#options = options
  }

  /** The next round asks the server who is signed in. */
  forgetSession() {
    this.#session = null
  }

  /**
   * @param {boolean} again also offer what the server holds or refused
   * @throws {NotSent} why it did not end well
   */
  async run(again) {
    const store = this.#store
    const person = store.enrolled ? personOf(await store.read()) : null
    if (!person) {
      Object.assign(this.status, {needs_sign_in: false, problem: ''})
      return
    }
    const signedIn = await this.#whoIsSignedIn()
    const {health, now, packs} = this.#options
    const greet = now().getTime() - this.#greetedAt > GREET_MS || hasReport(await store.read())
    const failure = await this.#exchange(person, signedIn, {again, greet, health, now})
    Object.assign(this.status, {
      online: 'yes',
      needs_sign_in: signedIn.id !== person.id,
      problem: '',
      last_ok_at: now().toISOString(),
    })
    if (packs) void prefetch(store, person, packs)
    if (failure) throw failure
  }

  /** @returns {Promise<{id: string}>} the person at the server */
  async #whoIsSignedIn() {
    // The session is the browser's: in another window somebody else may sign in, and operations
    // sent then would be held. Only while this page has the focus is that impossible.
    const isOurs = this.#options.window.document?.hasFocus?.() !== false
    if (this.#session && isOurs) return this.#session
    const session = await this.#wire.session()
    this.#session = session
    return session
  }

  /**
   * Send and receive.
   * @param {Person} person signed in on this phone @param {{id: string}} signedIn at the server
   * @param {{again: boolean, greet: boolean, health: () => Promise<object>,
   *   now: () => Date}} options
   * @returns {Promise<NotSent|null>} why blobs stayed here; the rest was done all the same
   */
  async #exchange(person, signedIn, options) {
    const [store, wire] = [this.#store, this.#wire]
    let {pushed, failure} = await pushAll(store, wire, signedIn.id, options)
    if (pushed) this.#greetedAt = options.now().getTime()
    const unconfirmed = unconfirmedBlobs(await store.read(), person.id)
    const pulled =
      signedIn.id === person.id
        ? await pullAll(store, wire, person.id, options.now)
        : {again: false}
    const blobs = await verifyBlobs(store, wire, unconfirmed)
    if (pulled.again || blobs.missing)
      ({failure} = await pushAll(store, wire, signedIn.id, {...options, greet: false}))
    failure ??= blobs.failure
    const unverified = await this.#remove()
    return failure ?? unverified
  }

  /**
   * Remove what the server has for good; its blobs are verified first.
   * @returns {Promise<NotSent|null>} why they could not be
   */
  async #remove() {
    const [store, at] = [this.#store, this.#wire.serverTime()]
    if (!at) return null
    const blobs = await verifyBlobs(store, this.#wire, blobsToVerify(await store.read(), at))
    await store.update(memory => removals(memory, at, blobs.present))
    return blobs.failure
  }

  /** Put a failed round into the status. @param {unknown} error */
  fail(error) {
    if (!(error instanceof NotSent)) {
      console.error(error)
      Object.assign(this.status, {problem: 'phone'})
      return
    }
    this.#session = null
    const {kind, code} = error
    if (kind === 'reauth')
      Object.assign(this.status, {online: 'yes', needs_sign_in: true, problem: ''})
    else if (code === 'other_server')
      Object.assign(this.status, {online: 'yes', needs_sign_in: true, problem: code})
    else if (kind === 'offline') Object.assign(this.status, {online: 'no', problem: ''})
    // A captive portal is no contact; its code helps whoever is asked for help.
    else Object.assign(this.status, {online: kind === 'foreign' ? 'no' : 'yes', problem: code})
  }
}
