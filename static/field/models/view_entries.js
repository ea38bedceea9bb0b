// The lists of a visit: notes, photos, follow-ups, attempts, reviews, conflicts, consents. Twin of
// pwa/visits/view_entries.py. Every entry of the record is in the view, struck ones too (without
// their text), so that nothing can be hidden by a template. Pure; which decision counts is computed
// in record/apply.js.

/** @typedef {import('./view_texts.js').Reader} Reader */
/** @typedef {import('./view_texts.js').View} View */

import {conflictsOf, consentsOf} from '../record/apply.js'
import {
  answerKey,
  itemLabel,
  languageView,
  own,
  pair,
  stamp,
  textOf,
  weekdayOf,
} from './view_texts.js'

/** @import {Consent, Review} from '../record/shapes.d.ts' */

/** @param {Reader} reader @returns {View[]} */
export const notesOf = reader =>
  reader.record.notes.map(one => ({
    id: one.id,
    item: one.item,
    label: itemLabel(reader, one.item),
    text: one.text,
    retracted: one.retracted,
    ...stamp(reader, one),
  }))

/**
 * `source` is an address of the picture's bytes; the page fills it where it can reach them.
 * @param {Reader} reader @returns {Array<View & {photo: string, retracted: boolean}>}
 */
export const photosOf = reader =>
  (reader.record.photos ?? []).map(one => ({
    id: one.id,
    item: one.item,
    label: itemLabel(reader, one.item),
    photo: one.photo,
    source: '',
    retracted: one.retracted,
    ...stamp(reader, one),
  }))

/** @param {Reader} reader @returns {View[]} */
export const followUpsOf = reader =>
  reader.record.follow_ups.map(one => ({
    id: one.id,
    item: one.item,
    label: itemLabel(reader, one.item),
    queue: one.queue,
    urgency: one.urgency,
    text: one.text,
    retracted: one.retracted,
    done: one.answers.at(-1)?.done ?? false,
    answers: one.answers.map(answer => ({
      text: answer.text,
      done: answer.done,
      ...stamp(reader, answer),
    })),
    ...stamp(reader, one),
  }))

/** @param {Reader} reader @returns {View[]} */
export const attemptsOf = reader =>
  reader.record.attempts.map(one => ({
    outcome: one.outcome,
    new_date: one.date ?? '',
    new_weekday: weekdayOf(one.date ?? ''),
    new_time: one.time ?? '',
    ...stamp(reader, one),
  }))

/**
 * What a review asks for.
 * @param {Reader} reader @param {Review|undefined} review @returns {View[]}
 */
const pointsOf = (reader, review) =>
  (review?.points ?? []).map(point => ({
    item: point.item,
    section: own(reader.structure.items, point.item)
      ? reader.structure.items[point.item].section
      : '',
    label: itemLabel(reader, point.item),
    text: point.text,
  }))

/** @param {Reader} reader @returns {View[]} */
export const reviewsOf = reader =>
  reader.record.reviews.map(one => ({
    decision: one.decision,
    comment: one.comment ?? '',
    points: pointsOf(reader, one),
    ...stamp(reader, one),
  }))

/** What the visitor is still asked for. @param {Reader} reader @returns {View[]} */
export const openPoints = reader =>
  reader.state === 'returned' ? pointsOf(reader, reader.record.reviews.at(-1)) : []

/** The item of a field; "" where it is no answer. @param {string} field */
const itemOf = field => (field.startsWith('answer.') ? field.slice('answer.'.length) : '')

/** @param {Reader} reader @param {string} field @param {any} value @returns {string} */
function valueLabel(reader, field, value) {
  const item = itemOf(field)
  if (item) return value ? textOf(reader, reader.staff, answerKey(reader, item, value)).text : ''
  if (field === 'language') return languageView(value).name
  if (field === 'visitors')
    return value.map((/** @type {string} */ one) => reader.people[one] ?? one).join(', ')
  return String(value)
}

/**
 * Fields with values that were written without knowing of each other.
 * @param {Reader} reader @returns {View[]}
 */
export const conflictViews = reader =>
  Object.entries(conflictsOf(reader.record)).map(([field, writes]) => ({
    field,
    item: itemOf(field),
    label: itemLabel(reader, itemOf(field)),
    rows: writes.map(one => ({
      value: Array.isArray(one.value) ? one.value.join(',') : one.value,
      label: valueLabel(reader, field, one.value),
      chosen: one === writes.at(-1),
      ...stamp(reader, one),
    })),
  }))

/** @param {Reader} reader @param {Consent} one @returns {View} */
const consentEvent = (reader, one) => ({
  id: one.id,
  decision: one.decision,
  language: one.language ? languageView(one.language).name : '',
  text_version: one.text_version ?? '',
  text_state: one.text_state ?? '',
  recipient: one.recipient ?? '',
  given_by: one.given_by ?? '',
  method: one.method ?? '',
  attested: one.attested ?? false,
  interpreter: one.interpreter ?? '',
  expires: one.expires ?? '',
  signature: one.signature ?? '',
  channel: one.channel ?? '',
  ...stamp(reader, one),
})

/**
 * What the tenant is asked, with `recipient` in it.
 * @param {Reader} reader @param {string} purpose @param {string} recipient @returns {View}
 */
export function consentText(reader, purpose, recipient) {
  const named = {recipient: recipient || '…'}
  const shown = textOf(reader, reader.tenant, `${purpose}.text`, named)
  return {
    ...pair(reader, 'text', `${purpose}.text`, named),
    shown: shown.text,
    shown_tag: shown.tag,
    shown_state: shown.state,
  }
}

/** Every purpose, with its decisions. @param {Reader} reader @returns {View[]} */
export function consentViews(reader) {
  const decided = consentsOf(reader.record)
  return Object.entries(reader.structure.consents)
    .map(([purpose, consent]) => {
      const history = reader.record.consents
        .filter(one => one.purpose === purpose)
        .map(one => consentEvent(reader, one))
      const event = own(decided, purpose) ? consentEvent(reader, decided[purpose]) : {}
      const recipient = history.findLast(one => one.recipient)?.recipient ?? ''
      return {
        purpose,
        number: Number(purpose.slice(1)),
        named: consent.recipient === 'named',
        recipient,
        decision: event.decision ?? '',
        event,
        history,
        ...pair(reader, 'heading', `${purpose}.title`),
        ...consentText(reader, purpose, recipient),
      }
    })
    .sort((a, b) => a.number - b.number)
}
