// The person and the app's language. The language is the person's: it is kept on the phone at once
// and told to the server when there is contact.

import {LANGUAGES, chooseLanguage} from '../i18n.js'
import {page, redirect} from '../router.js'

/** @param {import('../router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/settings', show, {anyone: true})
  routes.add('POST', '/field/language', choose, {anyone: true})
}

/** The languages as rows. @param {string} current */
export const languageRows = current => LANGUAGES.map(([code, label]) => (
  {code, label, direction: code === 'ar' ? 'rtl' : 'ltr', chosen: code === current}))

function show({person, i18n}) {
  const {_} = i18n
  const roles = {
    visitor: _('Visitor'), ambassador: _('Ambassador'), supervisor: _('Supervisor'),
    officer: _('Officer'), administrator: _('Administrator'),
  }
  return page('field/settings.html', {
    title: _('You'),
    name: person?.name ?? _('Nobody is signed in'),
    detail: person ? roles[person.role] ?? '' : '',
    signed_in: person !== null,
    desk: person?.role === 'supervisor',
    languages: languageRows(i18n.language),
  })
}

async function choose({form, person}) {
  const language = form.get('language')
  chooseLanguage(language)
  void tellServer(language)
  return redirect(person ? '/field/settings' : '/field/sign-in')
}

// Best effort: the phone's own choice counts on this phone, with or without the server.
async function tellServer(language) {
  try {
    await fetch('/language', {
      method: 'POST', redirect: 'error', signal: AbortSignal.timeout(20_000),
      headers: {'Content-Type': 'application/json', Accept: 'application/json'}, body: JSON.stringify({language}),
    })
  } catch { /* without network the choice stays here; the next choice or sign-in tells it */ }
}
