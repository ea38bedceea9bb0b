// Signing in and out. Needs the network and says so; trusts only an answer that is clearly the
// server's own (a captive portal's page is not). Signing out hides visits and deletes nothing.

import * as device from '../browser.js'
import {languageRows} from '../i18n.js'
import {page, redirect, refuse} from '../page/router.js'
import {unsent} from '../store/outbox.js'

/** @import {OpenCall} from '../page/shapes.d.ts' */

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/sign-in', show, {anyone: true})
  routes.add('POST', '/field/sign-in', signIn, {anyone: true})
  routes.add('POST', '/field/sign-out', signOut, {anyone: true})
}

/** @param {OpenCall} call */
async function show({store, i18n}) {
  const {_, ngettext} = i18n
  const waiting = store.enrolled ? (await unsent(store)).length : 0
  return page('field/sign_in.html', {
    title: _('Sign in'),
    unsent: waiting
      ? _(
          ngettext(
            '%(count)s item on this phone is unsent.',
            '%(count)s items on this phone are unsent.',
            waiting,
          ),
          {count: waiting},
        )
      : '',
    must_install: device.iosBrowserTab(),
    is_installed: device.installed(),
    languages: languageRows(i18n.language),
  })
}

/** @param {OpenCall} call */
async function signIn({form, store, sync, i18n}) {
  const {_} = i18n
  const offline = _(
    'No contact with the server. Signing in needs a network; everything that is saved stays on this phone.',
  )
  let response
  let answer
  try {
    response = await fetch('/sign-in', {
      method: 'POST',
      redirect: 'error',
      credentials: 'same-origin',
      signal: AbortSignal.timeout(20_000),
      headers: {'Content-Type': 'application/json', Accept: 'application/json'},
      body: JSON.stringify({name: form.get('name'), password: form.get('password')}),
    })
    if (!(response.headers.get('Content-Type') ?? '').includes('json')) return refuse(offline, 503)
    answer = await response.json()
  } catch {
    return refuse(offline, 503)
  }
  if (answer.problem === 'bad_credentials')
    return refuse(
      _('The name or the password is not right. Nothing on this phone has changed.'),
      401,
    )
  if (answer.problem === 'wait')
    return refuse(answer.remedy || _('Too many attempts. Wait a little and try again.'), 429)
  if (!response.ok || !answer.person?.id)
    return refuse(
      _('The server could not sign you in now (%(code)s). Try again soon.', {
        code: answer.problem ?? response.status,
      }),
      502,
    )
  if (!store.enrolled) await store.enrol()
  await store.signIn(answer.person)
  void sync?.now()
  return redirect('/field/')
}

/** @param {OpenCall} call */
async function signOut({store, i18n}) {
  await store.signOut()
  try {
    await fetch('/sign-out', {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(20_000),
      headers: {'Content-Type': 'application/json', Accept: 'application/json'},
      body: '{}',
    })
  } catch {
    /* the session ends by itself; on this phone the person is out already */
  }
  return redirect('/field/sign-in', {toast: i18n._('Signed out. Nothing was removed.')})
}
