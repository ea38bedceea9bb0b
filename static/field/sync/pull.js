// Receiving: whole visits made by the server, and what is gone. Invariant: a page is stored in one
// transaction with its cursor, so nothing is missed and nothing is asked for twice; a visit that is
// gone stays as long as something of it has not arrived at the server. A server that was put back
// to an older state answers `reset`: then all this phone holds is offered again (I1). What it
// acknowledged and this pull does not confirm is offered again too (confirmation.js).

import {visitKey} from '../record/replay.js'
import {metaChange, put} from '../store/rows.js'
import {cursorSeq, findUnconfirmed} from './confirmation.js'
import {offerAgain} from './retention.js'
import {checkServerId} from './server_id.js'
import {NotSent} from './transport.js'

/** @import {Change, Memory, PullAnswer, Snapshot, VisitValue} from '../record/shapes.d.ts' */

/**
 * @typedef {{person: string, before: Set<string>, offset: number, now: Date}} Context
 *   `before`: ids of the receipts that were there when the page was asked for; `offset`: how far
 *   the clocks are apart
 */

const PAGES_MAX = 1000
const CLOCK_STEP_MS = 5_000
const CONTACT_STEP_MS = 300_000

/**
 * Pull page after page until there is no more.
 * @param {import('../store/store.js').Store} store
 * @param {import('./transport.js').Transport} wire
 * @param {string} person whose visits; the one signed in at the server and on this phone
 * @param {() => Date} now
 * @returns {Promise<{again: boolean}>} whether something that was sent is to be offered again
 * @throws {NotSent}
 */
export async function pullAll(store, wire, person, now) {
  let again = false
  for (let page = 0; page < PAGES_MAX; page++) {
    const memory = await store.read()
    const cursor = memory.meta.get(`cursor ${person}`)?.value ?? ''
    const before = new Set(memory.receipts.keys()) // a copy: the memory goes on changing
    const asked = now()
    const {answer, date} = await wire.pull(cursor)
    check(answer)
    // Somebody may have signed in in another window meanwhile. Older servers do not say who reads.
    if ((answer.reader ?? person) !== person) throw new NotSent('reauth', 'other_person', 200)
    await checkServerId(store, answer.server)
    const offset = clockOffset(date, asked, now())
    let taken = false
    let unconfirmed = false
    await store.update(known => {
      // Another tab was faster: its page stands, this one is asked for anew next time.
      taken = (known.meta.get(`cursor ${person}`)?.value ?? '') === cursor
      if (!taken) return []
      const found = changesOf(known, answer, {person, before, offset, now: now()})
      unconfirmed = found.unconfirmed
      return found.changes
    })
    again ||= taken && (answer.reset || unconfirmed)
    if (!answer.more || !taken) return {again}
  }
  return {again}
}

/** @param {PullAnswer} answer @throws {NotSent} where it is none */
function check(answer) {
  const lists = [answer.snapshots, answer.gone, answer.people, answer.held]
  if (!lists.every(Array.isArray) || typeof answer.cursor !== 'string')
    throw new NotSent('foreign', 'not_ours', 200)
}

/**
 * How far the server's clock is ahead of this phone's, in milliseconds; NaN where it does not say.
 * The header has whole seconds: half of one is the best guess.
 * @param {string} date the header @param {Date} asked @param {Date} answered
 */
function clockOffset(date, asked, answered) {
  return Math.round(Date.parse(date) + 500 - (asked.getTime() + answered.getTime()) / 2)
}

/**
 * What one page changes.
 * @param {Memory} memory @param {PullAnswer} answer @param {Context} context
 * @returns {{unconfirmed: boolean, changes: Change[]}}
 */
function changesOf(memory, answer, context) {
  const {person, before} = context
  /** @type {Map<string, VisitValue>} */
  const visits = new Map()
  if (answer.reset) {
    // Everything comes again; what does not come is not there any more.
    for (const one of memory.visits.values())
      if (one.by === person) visits.set(one.id, {...one, stale: true})
  }
  for (const snapshot of answer.snapshots) {
    const value = visitValue(snapshot, person)
    visits.set(value.id, value)
  }
  for (const one of answer.gone)
    for (const value of goneValues(memory, visits, one, person)) visits.set(value.id, value)
  if (!answer.more) {
    const all = new Map([...memory.visits, ...visits])
    for (const one of all.values())
      if (one.by === person && one.stale) visits.set(one.id, {...one, stale: false, gone: 'reset'})
  }
  // Before the last page a visit may be on one to come.
  const found = answer.more
    ? {unconfirmed: false, changes: []}
    : findUnconfirmed(memory, new Map([...memory.visits, ...visits]), person, before)
  const changes = [
    ...[...visits.values()].map(value => put('visits', value)),
    ...(answer.reset ? offerAgain(memory) : heldChanges(memory, answer.held)),
    ...found.changes,
    ...factChanges(memory, answer, context),
  ]
  return {unconfirmed: found.unconfirmed, changes}
}

/** @param {Snapshot} snapshot @param {string} by whose it is @returns {VisitValue} */
function visitValue(snapshot, by) {
  // `state` is left out: the phone computes it anew, with its own operations on top.
  const {tenancy_fields: tenancy = {}, settings = {}, state, ...record} = snapshot
  return {
    id: visitKey(by, record.id),
    by,
    visit: record.id,
    seq: record.seq,
    gone: '',
    stale: false,
    record,
    tenancy,
    settings,
  }
}

/**
 * @param {Memory} memory @param {Map<string, VisitValue>} visits changed by this page so far
 * @param {{id: string, reason: string}} gone @param {string} person @returns {VisitValue[]}
 */
function goneValues(memory, visits, {id, reason}, person) {
  // A protected tenancy is gone for everybody on this phone, whoever asked.
  const keys =
    reason === 'protected'
      ? [...memory.visits.values()].filter(one => one.visit === id).map(one => one.id)
      : [visitKey(person, id)]
  const known = keys
    .map(key => visits.get(key) ?? memory.visits.get(key))
    .filter(one => one !== undefined)
  const marked = known.map(one => ({...one, stale: false, gone: reason}))
  const isNamed = [...memory.outbox.values()].some(row => row.visit === id && row.by === person)
  if (known.some(one => one.by === person) || !isNamed) return marked
  return [
    ...marked,
    {
      id: visitKey(person, id),
      by: person,
      visit: id,
      seq: 0,
      gone: reason,
      stale: false,
      record: null,
      tenancy: {},
      settings: {},
    },
  ]
}

/** @param {Memory} memory @param {PullAnswer['held']} held @returns {Change[]} */
function heldChanges(memory, held) {
  return held.flatMap(({id, problem, comment}) => {
    const receipt = memory.receipts.get(id)
    // Only what a push has answered with its hash: this list has none.
    if (
      receipt?.result !== 'held' ||
      (receipt.problem === problem && receipt.comment === (comment ?? ''))
    )
      return []
    return [put('receipts', {...receipt, problem, comment: comment ?? ''})]
  })
}

/**
 * @param {Memory} memory @param {PullAnswer} answer @param {Context} context @returns {Change[]}
 */
function factChanges(memory, answer, {person, offset, now}) {
  const known = (/** @type {string} */ id) => memory.meta.get(id)?.value
  const facts = {
    [`cursor ${person}`]: answer.cursor,
    [`vouched ${person}`]: answer.more ? undefined : cursorSeq(answer.cursor),
    people: Object.fromEntries(answer.people.map(one => [one.id, one.name])),
    guide: answer.guide,
    server_day: answer.today,
    languages: answer.languages,
    [`backup ${person}`]: answer.backup,
    recordings: answer.recordings,
    keep_days: Number.isSafeInteger(answer.keep_days) ? answer.keep_days : undefined,
    // Not each time: every write costs the phone a flush to its storage.
    clock_offset_ms:
      Math.abs(offset - (known('clock_offset_ms') ?? Infinity)) > CLOCK_STEP_MS
        ? offset
        : undefined,
    last_ok_at:
      now.getTime() - Date.parse(known('last_ok_at') ?? 0) > CONTACT_STEP_MS
        ? now.toISOString()
        : undefined,
  }
  const differs = (/** @type {[string, any]} */ [id, value]) =>
    value !== undefined && JSON.stringify(value) !== JSON.stringify(known(id))
  return Object.entries(facts)
    .filter(differs)
    .map(([id, value]) => metaChange(id, value))
}
