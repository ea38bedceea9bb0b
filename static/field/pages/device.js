// "This phone": what the browser promises to keep, how full it is, which versions run. Asked anew
// each time; nothing here is remembered or guessed.

import * as device from '../browser.js'
import {page} from '../page/router.js'
import {moment} from './words.js'

/** @import {Facts, Loss} from '../record/shapes.d.ts' */
/** @import {OpenCall} from '../page/shapes.d.ts' */

/** @typedef {import('../i18n.js').I18n} I18n */

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/device', show, {anyone: true})
}

/** @param {OpenCall} call */
async function show({store, sync, i18n}) {
  const {_} = i18n
  const unknown = _('The browser does not say')
  const persisted = await answerOf(() => navigator.storage.persisted())
  const {usage, quota} = (await answerOf(() => navigator.storage.estimate())) ?? {}
  const installed = device.installed()
  const worker = navigator.serviceWorker?.controller
  const facts = await answerOf(() => store.facts())
  const last = sync?.status().last_ok_at || facts?.last_ok_at
  return page('field/device.html', {
    title: _('This phone'),
    lost: store.lost ? lostLine(store.lost, i18n) : '',
    what_to_do:
      store.lost?.reason === 'unopenable' && !store.enrolled
        ? _(
            'Close the app completely and open it again. If this stays, sign in: the phone gets a new storage, the old one is kept, and what it holds is fetched as soon as it opens.',
          )
        : _(
            'Tell your supervisor. Sign in, look through today’s visits, and write again what is missing.',
          ),
    warnings: warningsOf({persisted, usage, quota, tight: store.tight, facts}, _),
    facts: [
      {
        label: _('Kept by the phone'),
        text:
          persisted === true
            ? _('Yes, promised')
            : persisted === false
              ? _('Not promised')
              : unknown,
      },
      {label: _('On the home screen'), text: installed ? _('Yes') : _('No, in a browser tab')},
      {
        label: _('Works without network'),
        text: worker ? _('Yes') : _('Not yet: open the app once more with a network'),
      },
      {
        label: _('Space used'),
        text:
          usage === undefined
            ? unknown
            : _('%(used)s of %(total)s MB', {used: megabytes(usage), total: megabytes(quota)}),
      },
      {label: _('Last contact'), text: last ? moment(last) : _('None yet')},
      {label: _('Version of the app'), text: document.documentElement.dataset.version ?? unknown},
      {
        label: _('Version of the guide'),
        text: facts?.guide ? String(facts.guide).slice(0, 12) : _('None yet'),
      },
      {
        label: _('Name of this phone'),
        text: store.device ? store.device.id.slice(0, 8) : _('Created at the first sign-in'),
      },
    ],
  })
}

/**
 * What the person should know or do.
 * @param {{persisted?: boolean, usage?: number, quota?: number, tight: boolean, facts?: Facts}} known
 * @param {I18n['_']} _
 */
function warningsOf({persisted, usage = 0, quota, tight, facts}, _) {
  const warnings = []
  if (device.iosBrowserTab()) {
    warnings.push({
      heading: _('Add Tröskel to the home screen first'),
      text: _(
        'In a browser tab, an iPhone deletes what is saved after a week. Tap Share, then “Add to Home Screen”, and open Tröskel from there.',
      ),
    })
  } else if (persisted === false) {
    warnings.push({
      heading: _('The phone has not promised to keep what is saved'),
      text: _(
        'It may be cleared when the phone is short of space. Add Tröskel to the home screen, keep some space free, and send often.',
      ),
    })
  }
  if (tight || (quota && quota - usage < 50e6)) {
    warnings.push({
      heading: _('Little space left'),
      text: _('Free some space on the phone before the next visit.'),
    })
  }
  if (Math.abs(facts?.clock_offset_ms ?? 0) > 600_000) {
    warnings.push({
      heading: _('The phone’s clock is wrong'),
      text: _('It differs from the server by more than ten minutes. Set it to automatic.'),
    })
  }
  return warnings
}

/** @param {Loss} loss @param {I18n} i18n */
function lostLine({reason, unsent}, {_, ngettext}) {
  const what =
    reason === 'unopenable'
      ? _('The phone’s storage does not open. Nothing in it was deleted.')
      : _(
          'The storage is older or emptier than it was: the browser cleared it, or the phone was restored from a copy.',
        )
  return unsent
    ? `${what} ${_(ngettext('%(count)s item had not been sent.', '%(count)s items had not been sent.', unsent), {count: unsent})}`
    : what
}

/** @template T @param {() => Promise<T>|T} question @returns {Promise<T|undefined>} */
async function answerOf(question) {
  try {
    return await question()
  } catch {
    return undefined // an old browser cannot be asked
  }
}

/** @param {number|undefined} bytes */
const megabytes = bytes => String(Math.max(1, Math.round((bytes ?? 0) / 1e6)))
