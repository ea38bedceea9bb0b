// Operations, refusals and times in plain words. Pure: language in, sentence out.

import {languageView} from '../models/view_texts.js'

/** @typedef {import('../i18n.js').I18n} I18n */

/** @typedef {ReturnType<typeof eventOf>} Event what `event_label` of templates/shared/labels.html words */

/**
 * What one operation did; twin of pwa/desk/parts/events.py. The outbox can be read before any
 * guide has arrived, so an item is its number here, and an answer or a consent's title is missing.
 * @param {{kind: string, data: Record<string, any>}} operation
 * @param {I18n} i18n
 */
export function eventOf({kind, data}, {_}) {
  const nameOf = (/** @type {string} */ item) =>
    item
      ? _('Point %(number)s', {number: item.replace(/^\D+/, '') || item})
      : _('The visit as a whole')
  const answers = Object.entries(data.answers ?? {})
  const undone = kind === 'visit.tick' ? answers.every(([, answer]) => !answer) : data.answer === ''
  const ticked = undone ? answers.map(([item]) => nameOf(item)).join(', ') : ''
  return {
    kind,
    item: data.purpose ?? (kind === 'visit.tick' ? ticked : nameOf(data.item ?? '')),
    // An answer, too, names a language: the one that it was explained in.
    value:
      kind === 'visit.language'
        ? languageView(data.language).name
        : (data.outcome ?? data.decision ?? ''),
    text: data.text ?? '',
    queue: data.queue ?? '',
    people: '',
    when: [data.date, data.time].filter(Boolean).join(' '),
    number: answers.length,
    undone,
  }
}

/** An event of which only its words are known. @param {string} text @returns {Event} */
export const plainEvent = text => ({
  kind: '',
  item: '',
  value: '',
  text,
  queue: '',
  people: '',
  when: '',
  number: 0,
  undone: false,
})

/**
 * Why the server holds an operation, and what to do about it.
 * @param {string} problem a code of PROTOCOL.md @param {I18n} i18n
 * @returns {{reason: string, remedy: string}}
 */
export function explain(problem, {_}) {
  const retake = _('It is kept on this phone. Strike it out under “Read back”, and take a new one.')
  const wait = _('The server keeps it. Your supervisor decides; you need not do anything.')
  /** @type {Record<string, {reason: string, remedy: string}>} */
  const table = {
    no_right: {reason: _('This visit is no longer yours.'), remedy: wait},
    unknown_subject: {
      reason: _('The server does not know this visit.'),
      remedy: _('Ask your supervisor to look at “Held”.'),
    },
    protected: {
      reason: _('This visit is closed for everyone.'),
      remedy: _('Talk to your supervisor in person, not in writing.'),
    },
    invalid: {
      reason: _('Something in it could not be read.'),
      remedy: _('Write it again. The server keeps this one too.'),
    },
    too_large: {
      reason: _('It is too large.'),
      remedy: _('Write it again, shorter. The server keeps this one too.'),
    },
    version_newer: {
      reason: _('The server is older than this app.'),
      remedy: _('It is applied when the server is updated.'),
    },
    unknown_kind: {
      reason: _('The server is older than this app.'),
      remedy: _('It is applied when the server is updated.'),
    },
    id_reused: {
      reason: _('Another one was sent with the same number.'),
      remedy: _('The server keeps both. Ask your supervisor to look at “Held”.'),
    },
    blob_type: {reason: _('This picture cannot be read'), remedy: retake},
    picture_broken: {reason: _('This picture cannot be read'), remedy: retake},
    picture_too_large: {reason: _('This picture has too many pixels'), remedy: retake},
    device_mismatch: {
      reason: _('The server knows another phone under this phone’s name.'),
      remedy: wait,
    },
    handed: {reason: _('Handed over to the office.'), remedy: wait},
    author_mismatch: {
      reason: _('Somebody else was signed in when it was sent.'),
      remedy: _('Sign in again as the one who wrote it.'),
    },
  }
  return (
    table[problem] ?? {
      reason: _('The server could not use it (%(code)s).', {code: problem}),
      remedy: wait,
    }
  )
}

/**
 * A moment as a Swedish calendar has it, "2026-11-23 04:32", in every language: browsers know no
 * Somali or Sorani months, and give Persian ones another calendar.
 * @param {string|number} at ISO 8601 or milliseconds @returns {string}
 */
export function moment(at) {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return ''
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/**
 * The text of the strip. Pure, so that each sentence can be tested.
 * @param {{unsent: number, needs: number, waits: number}} outbox
 * @param {{needs_sign_in: boolean}} sync @param {boolean} signedIn on this phone
 * @param {I18n} i18n
 * @returns {{kind: string, text: string, href: string}}
 */
export function statusLine(outbox, sync, signedIn, i18n) {
  const {_, ngettext} = i18n
  const unsent = _('%(count)s unsent', {count: outbox.unsent})
  if (outbox.needs > 0) {
    const text = i18n._(ngettext('%(count)s needs you', '%(count)s need you', outbox.needs), {
      count: outbox.needs,
    })
    return {
      kind: 'needs',
      text: outbox.unsent > 0 ? `${text} · ${unsent}` : text,
      href: '/field/outbox',
    }
  }
  if (!signedIn || sync.needs_sign_in) {
    const text = _('Sign in to send')
    if (outbox.unsent > 0)
      return {kind: 'sign-in', text: `${text} · ${unsent}`, href: '/field/sign-in'}
    return {
      kind: 'sign-in',
      text: signedIn ? `${_('All sent')} · ${_('Sign in to get updates')}` : _('Sign in'),
      href: '/field/sign-in',
    }
  }
  if (outbox.unsent > 0)
    return {kind: 'phone', text: `${_('Saved on this phone')} · ${unsent}`, href: '/field/outbox'}
  return {kind: 'sent', text: _('All sent'), href: '/field/outbox'}
}
