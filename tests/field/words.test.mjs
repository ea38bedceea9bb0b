// Plain words: every kind and every refusal has its sentence; the strip never claims more than is true.

import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import {test} from 'node:test'

import {fill} from '../../static/field/i18n.js'
import {render} from '../../static/field/page/render.js'
import {eventOf, explain, moment, plainEvent, statusLine} from '../../static/field/pages/words.js'

const i18n = {
  language: 'en',
  direction: 'ltr',
  gettext: text => text,
  _: (text, params = {}) => fill(text, params),
  ngettext: (one, many, n) => (n === 1 ? one : many),
}
const protocol = readFileSync(new URL('../../sync/PROTOCOL.md', import.meta.url), 'utf8')

/** What the outbox shows of one event. */
function labelOf(event) {
  const row = {
    id: '1',
    event,
    when: '',
    who: '',
    state: 'phone',
    reason: '',
    remedy: '',
    comment: '',
  }
  const groups = [{heading: 'x', href: '', rows: [row], hand_over: ''}]
  const context = {
    total: 1,
    summary: '',
    contact: '',
    problem: '',
    must_sign_in: false,
    kept: [],
    groups,
  }
  const html = render('field/outbox.html', context, i18n)
  return html.match(/<p class="outbox-what"><bdi>(.*?)<\/bdi>/)[1]
}

const worded = (kind, data) => labelOf(eventOf({kind, data}, i18n))

const data = {
  item: 'i39',
  answer: 'yes',
  answers: {i1: 'yes'},
  text: 'x',
  language: 'ar',
  outcome: 'declined',
  purpose: 'K1',
  decision: 'no',
}

test('every operation a phone can make is described in words', () => {
  const kinds = [
    ...protocol.matchAll(/^\| `(visit\.\w+|tally\.\w+)`.*\| (field|field, desk) \|$/gm),
  ].map(match => match[1])
  assert.ok(kinds.length >= 10, String(kinds))
  for (const kind of kinds) {
    const text = worded(kind, data)
    assert.notEqual(text, kind)
    assert.doesNotMatch(text, /undefined|%\(/)
  }
})

test('an event names its item by number, and says when something is taken back', () => {
  const cases = [
    ['visit.answer', {item: 'i39', answer: 'yes', language: 'ar'}, 'Answer: Point 39'],
    ['visit.answer', {item: 'i39', answer: ''}, 'Removed the answer to: Point 39'],
    ['visit.tick', {answers: {i14: 'done', i15: ''}}, '2 points gone through'],
    ['visit.tick', {answers: {i14: '', i15: ''}}, 'Removed the answers to: Point 14, Point 15'],
    ['visit.language', {language: 'ar'}, 'Language of the tenant: العربية'],
    ['visit.photo', {item: '', photo: ''}, 'Photo: The visit as a whole'],
    [
      'visit.follow_up',
      {item: 'i39', queue: 'FV', text: 'x'},
      'Follow-up to Caretaker on Point 39: x',
    ],
    [
      'visit.attempt',
      {outcome: 'rebooked', date: '2026-11-24', time: '09:30'},
      'New time agreed: 2026-11-24 09:30',
    ],
    ['visit.attempt', {outcome: 'not_home', date: '', time: ''}, 'Nobody at home'],
    ['visit.consent', {purpose: 'K1', decision: 'yes', language: 'ar'}, 'Consent given: K1'],
    ['visit.withdraw', {purpose: 'K1', channel: 'visit'}, 'Consent withdrawn: K1'],
  ]
  for (const [kind, data, text] of cases) assert.equal(worded(kind, data), text)
})

test('an event of which only words are known is those words', () => {
  assert.equal(labelOf(plainEvent('Something')), 'Something')
})

test('every refusal of the protocol has a reason and something to do', () => {
  const codes = [
    'no_right',
    'unknown_subject',
    'protected',
    'invalid',
    'too_large',
    'version_newer',
    'unknown_kind',
    'id_reused',
    'author_mismatch',
  ]
  for (const code of codes) {
    assert.ok(protocol.includes(code), code)
    const {reason, remedy} = explain(code, i18n)
    assert.ok(reason && remedy && !reason.includes(code), code)
  }
  assert.match(explain('something_new', i18n).reason, /something_new/)
})

const none = {unsent: 0, needs: 0, waits: 0}
const online = {needs_sign_in: false}

test('the strip shows what the outbox holds', () => {
  assert.equal(statusLine(none, online, true, i18n).text, 'All sent')
  assert.equal(
    statusLine({...none, unsent: 3}, online, true, i18n).text,
    'Saved on this phone · 3 unsent',
  )
  assert.equal(statusLine({...none, needs: 1}, online, true, i18n).text, '1 needs you')
  assert.equal(
    statusLine({...none, needs: 2, unsent: 3}, online, true, i18n).text,
    '2 need you · 3 unsent',
  )
})

test('a dead session shows sign in, and still how much is unsent', () => {
  assert.equal(
    statusLine({...none, unsent: 3}, {needs_sign_in: true}, true, i18n).text,
    'Sign in to send · 3 unsent',
  )
  assert.equal(
    statusLine({...none, unsent: 3}, online, false, i18n).text,
    'Sign in to send · 3 unsent',
  )
})

test('the strip never shows all sent while something is not', () => {
  for (const unsent of [0, 1])
    for (const needs of [0, 1])
      for (const needs_sign_in of [true, false])
        for (const person of [true, false]) {
          const {text} = statusLine({unsent, needs, waits: 0}, {needs_sign_in}, person, i18n)
          if (unsent || needs) assert.doesNotMatch(text, /All sent/)
        }
})

test('a moment is written in Latin digits in every language', () => {
  assert.equal(moment(new Date(2026, 10, 2, 14, 5).getTime()), '2026-11-02 14:05')
  assert.equal(moment('nonsense'), '')
})
