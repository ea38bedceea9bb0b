// Starts the phone: guards forms, opens the store, gives htmx the router as its network, shows the
// page of the address, keeps the status strip up to date. Invariant: no network, no session and no
// worker is needed; each of those may come later. No form is ever sent to the network.

import {report} from './browser.js'
import {showNav, showStatus, statusIsStale} from './frame.js'
import {keepWords, loadI18n, preferredLanguage} from './i18n.js'
import {byId} from './page/dom.js'
import {isDirty, restoreControl, settleControls, settleToast, toast} from './page/forms.js'
import {render} from './page/render.js'
import {makeRouter} from './page/router.js'
import {startUpdates} from './page/updates.js'
import {uuid7} from './record/ids.js'
import {allRoutes} from './routes.js'
import {keepBallast} from './store/ballast.js'
import {openStore} from './store/store.js'
import {startSync} from './sync/schedule.js'

// Before anything else: a submit that htmx has not bound yet must not become a navigation. The
// shell's CSP (form-action 'none') is the second lock on the same door.
document.addEventListener('submit', event => event.preventDefault(), true)

const main = () => byId('main')
const here = () => location.pathname + location.search
/**
 * @type {{store: import('./store/store.js').Store|null,
 *   sync: import('./sync/schedule.js').Sync|null, i18n: import('./i18n.js').I18n, failure: unknown}}
 */
const phone = {
  store: null,
  sync: null,
  i18n: await loadI18n(preferredLanguage(null)),
  failure: null,
}

try {
  phone.store = await openStore()
} catch (error) {
  phone.failure = error
  console.error(error)
}

/** @returns {Promise<import('./page/shapes.d.ts').Scene>} */
async function scene() {
  const person = phone.store?.enrolled ? await phone.store.person() : null
  const wanted = preferredLanguage(person)
  if (wanted !== phone.i18n.language) {
    phone.i18n = await loadI18n(wanted)
    void keepWords(phone.i18n.language)
  }
  // Without a store no request reaches a page, and the strip reports that it cannot be read.
  const store = /** @type {import('./store/store.js').Store} */ (phone.store)
  return {store, sync: phone.sync, person, i18n: phone.i18n}
}

const routes = allRoutes()
const route = makeRouter({routes, render, scene, here})

// How many requests are being answered. The strip shows what they saved when they have ended, not
// between the tap and the paint.
let answering = 0

/** The phone's own network for htmx. @param {string} url @param {RequestInit} init */
async function fetchOnPhone(url, init) {
  if (!phone.failure) {
    answering++
    const response = await route(url, init).finally(() => {
      answering--
    })
    // A page that is only shown again must not take back someone who has gone on meanwhile.
    const {pathname, search} = new URL(url, location.href)
    return new Headers(init.headers).has('X-Again') && pathname + search !== here()
      ? new Response(null, {status: 204})
      : response
  }
  const {_} = phone.i18n
  const context = {
    title: _('This phone’s storage did not open'),
    text: _(
      'Nothing can be saved right now, so nothing is shown. What was saved before is not deleted.',
    ),
    remedy: _(
      'Close the app completely and open it again. If that does not help, restart the phone and tell your supervisor.',
    ),
    alarm: true,
  }
  return new Response(render('field/message.html', context, phone.i18n), {
    headers: {'Content-Type': 'text/html'},
  })
}

// --- htmx 4: where it is hooked into; its traps are in tests/browser/test_traps.py

document.addEventListener('htmx:before:init', event => {
  // A boosted link out of /field/ would be fetched into <main>; let the browser go there.
  const link = event.target
  if (
    link instanceof HTMLAnchorElement &&
    !new URL(link.href, location.href).pathname.startsWith('/field/')
  ) {
    event.preventDefault()
  }
})

document.addEventListener('htmx:config:request', event => {
  // Once per tap: a queued or repeated request is the same operation. A form that creates
  // something already carries its own, made when it was rendered.
  const {request} = event.detail.ctx
  // A file in a plain form would arrive as the words "[object File]": pictures and signatures go
  // from their control straight to the store.
  if ([...request.body.values()].some(value => value instanceof File)) {
    event.preventDefault()
    toast(phone.i18n._('A file cannot be saved from here. Nothing was changed.'), true)
    return
  }
  if (request.method === 'POST' && !request.body.get('operation'))
    request.body.set('operation', uuid7())
})

document.addEventListener('htmx:before:request', event => {
  const {ctx} = event.detail
  const url = new URL(ctx.request.action, location.href)
  if (url.origin !== location.origin || !url.pathname.startsWith('/field/')) {
    event.preventDefault() // htmx makes no request to the network on this page
    return
  }
  ctx.fetch = fetchOnPhone
})

document.addEventListener('htmx:after:request', event => {
  const {ctx} = event.detail
  const word = ctx.response.headers.get('X-Toast')
  const bad = ctx.response.status >= 400
  if (bad) restoreControl(ctx.sourceElement)
  else if (ctx.sourceElement !== document.body) settleToast()
  if (word) toast(decodeURIComponent(word), bad)
})

document.addEventListener('htmx:error', event => {
  // Not a refusal but a fault between htmx and the router: it must be seen.
  const {ctx} = event.detail
  if (ctx) restoreControl(ctx.sourceElement)
  toast(phone.i18n._('That did not work. Nothing was changed; try once more.'), true)
})

// However it ended: swapped, refused, or failed.
document.addEventListener('htmx:finally:request', () => void status())

let pushed = false
document.addEventListener('htmx:after:history:push', () => {
  pushed = true
})
document.addEventListener('htmx:after:swap', event => {
  settleControls(event.detail.ctx.target)
  afterSwap(pushed)
  pushed = false
})

/** @param {boolean} isNewPage */
function afterSwap(isNewPage) {
  const {lang, dir} = main()
  const html = document.documentElement
  if (html.lang !== lang) html.lang = lang
  if (html.dir !== dir) html.dir = dir
  html.dataset.screen = main().dataset.screen ?? 'app'
  if (isNewPage) {
    window.scrollTo(0, 0)
    // A screen reader starts at the new page's heading; nothing moves for the eye.
    const heading = main().querySelector('h1') ?? main()
    heading.tabIndex = -1
    heading.focus({preventScroll: true})
  }
  showNav(phone.i18n, location.pathname)
}

const status = () => showStatus(scene)

/**
 * Show the current address again: after a pull, a language change, at the start.
 * @param {{swap?: string, replace?: boolean}} [options]
 */
function show({swap = 'outerMorph', replace = false} = {}) {
  const headers = {'X-Again': 'true', ...(replace ? {'X-Replace': 'true'} : {})}
  return window.htmx.ajax('GET', here(), {
    source: document.body,
    target: '#main',
    select: '#main',
    swap,
    headers,
  })
}

let changing = false
let changedAgain = false

/** The store has other data than the page shows. Several calls in a row are one. */
async function changed() {
  changedAgain = true
  if (changing) return
  changing = true
  try {
    while (changedAgain) {
      changedAgain = false
      await status()
      // New data under a form that someone is filling in would move it away under the thumb.
      if (!isDirty(main()) && main().dataset.screen === 'app') await show()
    }
  } finally {
    changing = false
  }
}

if (phone.store) {
  phone.store.onSave(() => {
    statusIsStale()
    if (answering === 0) void status()
  })
  phone.sync = startSync(phone.store, {
    fetch: window.fetch.bind(window),
    onChange: () => void changed(),
  })
}
await show({swap: 'outerSync show:none', replace: true})
if (phone.store?.enrolled)
  (window.requestIdleCallback ?? setTimeout)(() => void report().then(keepBallast))
document.documentElement.dataset.ready = 'true'
void keepWords(phone.i18n.language)
startUpdates({i18n: () => phone.i18n, isDirty: () => isDirty(main())})
