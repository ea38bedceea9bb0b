// Operations, refusals and times in plain words. Pure: language in, sentence out.

/** @typedef {import('../i18n.js').I18n} I18n */

/**
 * What one operation did.
 * @param {{kind: string, data: Record<string, any>}} operation
 * @param {I18n} i18n
 * @param {(item: string) => string} label the short label of an item of the guide, or ''
 * @returns {string}
 */
export function describe({kind, data}, {_, ngettext}, label = () => '') {
  const point = (/** @type {string} */ key) =>
    label(key) || _('Point %(number)s', {number: String(key).replace(/^\D+/, '') || key})
  /** @type {Record<string, string>} */
  const attempts = {
    not_home: _('Nobody home'),
    declined: _('Declined'),
    rebooked: _('New time booked'),
  }
  switch (kind) {
    case 'visit.open':
      return _('New visit')
    case 'visit.language':
      return _('Language of the tenant: %(language)s', {language: data.language})
    case 'visit.answer':
      return data.answer
        ? _('Answer: %(point)s', {point: point(data.item)})
        : _('Answer taken back: %(point)s', {point: point(data.item)})
    case 'visit.tick': {
      const n = Object.keys(data.answers).length
      return _(ngettext('%(count)s point gone through', '%(count)s points gone through', n), {
        count: n,
      })
    }
    case 'visit.note':
      return _('Note: %(text)s', {text: data.text})
    case 'visit.photo':
      return _('Photo: %(point)s', {point: point(data.item)})
    case 'visit.follow_up':
      return data.text ? _('Follow-up: %(text)s', {text: data.text}) : _('Follow-up')
    case 'visit.attempt':
      return attempts[data.outcome] ?? _('Visit attempt')
    case 'visit.consent':
      return data.decision === 'yes'
        ? _('Consent %(purpose)s: yes', {purpose: data.purpose})
        : _('Consent %(purpose)s: no', {purpose: data.purpose})
    case 'visit.withdraw':
      return _('Consent %(purpose)s withdrawn', {purpose: data.purpose})
    case 'visit.retract':
      return _('Something struck out')
    case 'visit.close':
      return _('Visit done')
    case 'visit.reopen':
      return _('Visit opened again')
    case 'tally.count':
      return _('Anonymous count')
    default:
      return kind
  }
}

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
      remedy: _('It is taken in when the server is updated.'),
    },
    unknown_kind: {
      reason: _('The server is older than this app.'),
      remedy: _('It is taken in when the server is updated.'),
    },
    id_reused: {
      reason: _('Another one was sent with the same number.'),
      remedy: _('The server keeps both. Ask your supervisor to look at “Held”.'),
    },
    blob_type: {reason: _('This picture cannot be read'), remedy: retake},
    picture_broken: {reason: _('This picture cannot be read'), remedy: retake},
    picture_too_large: {reason: _('This picture has too many pixels'), remedy: retake},
    device_mismatch: {
      reason: _('The server knows another phone by this phone’s name.'),
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
      text: signedIn ? `${_('All sent')} · ${_('Sign in for news')}` : _('Sign in'),
      href: '/field/sign-in',
    }
  }
  if (outbox.unsent > 0)
    return {kind: 'phone', text: `${_('Saved on this phone')} · ${unsent}`, href: '/field/outbox'}
  return {kind: 'sent', text: _('All sent'), href: '/field/outbox'}
}
