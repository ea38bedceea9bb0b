// The person and the app's language. The language is the person's: it is kept on the phone at once,
// and sent to the server if there is contact.

import * as packs from '../guide/packs.js'
import {chooseLanguage, languageRows, loadI18n} from '../i18n.js'
import {languageView, ORIGINAL} from '../models/view_models.js'
import {page, redirect, refuse} from '../page/router.js'

/** @import {Person} from '../record/shapes.d.ts' */
/** @import {Call, OpenCall} from '../page/shapes.d.ts' */

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/settings', show, {anyone: true})
  routes.add('POST', '/field/language', choose, {anyone: true})
  routes.add('POST', '/field/guide-languages', keep)
}

/** @param {OpenCall} call */
async function show({person, store, i18n}) {
  const {_} = i18n
  /** @type {Record<string, string>} */
  const roles = {
    visitor: _('Visitor'),
    ambassador: _('Ambassador'),
    supervisor: _('Supervisor'),
    officer: _('Officer'),
    administrator: _('Administrator'),
  }
  return page('field/settings.html', {
    title: _('You'),
    name: person?.name ?? _('Nobody is signed in'),
    detail: person ? (roles[person.role] ?? '') : '',
    signed_in: person !== null,
    desk: person?.role === 'supervisor',
    languages: languageRows(i18n.language),
    guide_languages: person ? await guideRows(store, person) : [],
  })
}

/**
 * The guide's languages with what this phone has of them. The person's own and those of the visits
 * are kept in any case; the others only when somebody requests them.
 * @param {import('../store/store.js').Store} store @param {Person} person
 */
async function guideRows(store, person) {
  const {guide, languages = []} = await store.facts()
  const [here, asked, files] = [
    await packs.languagesOnPhone(guide),
    packs.requestedLanguages(),
    await store.visits(),
  ]
  const needed = new Set([
    ORIGINAL,
    person.interface_language,
    ...(person.languages ?? []),
    ...files.map(file => file.record.cells.language?.at(-1)?.value),
  ])
  return languages.map(tag => ({
    ...languageView(tag),
    needed: needed.has(tag),
    asked: asked.includes(tag),
    here: here.has(tag),
  }))
}

/** @param {Call} call */
async function keep({form, store, i18n}) {
  const tag = form.get('language') ?? ''
  const {guide, languages = []} = await store.facts()
  if (!languages.includes(tag)) return refuse(i18n._('Choose a language.'))
  const wanted = !packs.requestedLanguages().includes(tag)
  packs.requestLanguage(tag, wanted)
  // Without network it is fetched at the next contact; the page says that it is not here yet.
  if (wanted) await packs.fetchAhead([[guide, tag]])
  return redirect('/field/settings')
}

/** @param {OpenCall} call */
async function choose({form, person, i18n}) {
  const language = form.get('language') ?? ''
  if ((await loadI18n(language)).language !== language) {
    return refuse(
      i18n._('That language is not on this phone yet. Connect to the network and choose it again.'),
      503,
    )
  }
  chooseLanguage(language)
  void reportLanguage(language)
  return redirect(person ? '/field/settings' : '/field/sign-in')
}

/**
 * Best effort: the phone's own choice counts on this phone, with or without the server.
 * @param {string} language
 */
async function reportLanguage(language) {
  try {
    await fetch('/language', {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(20_000),
      headers: {'Content-Type': 'application/json', Accept: 'application/json'},
      body: JSON.stringify({language}),
    })
  } catch {
    /* without network the choice stays here; the next choice or sign-in sends it */
  }
}
