// What is around every page: the status strip and the navigation. Invariant: the strip shows what
// the outbox holds at this moment; if that cannot be read it says so, and never guesses.

import {byId} from './page/dom.js'
import {render} from './page/render.js'
import {statusLine} from './pages/words.js'
import {counts} from './store/outbox.js'

/** @typedef {import('./i18n.js').I18n} I18n */
/** @typedef {import('./page/shapes.d.ts').Scene} Scene */

let shown = ''
let saves = 0

/**
 * Something was saved: until it is counted the strip is marked as busy, for assistive technology
 * and tests.
 */
export function statusIsStale() {
  saves++
  strip().setAttribute('aria-busy', 'true')
}

/** Bring the strip up to date. @param {() => Promise<Scene>} scene */
export async function showStatus(scene) {
  const counted = saves
  const {store, sync, person, i18n} = await scene()
  let line
  try {
    const outbox = store.enrolled ? await counts(store) : {unsent: 0, needs: 0, waits: 0}
    line = statusLine(outbox, sync?.status() ?? {needs_sign_in: false}, person !== null, i18n)
    if (store.tight)
      line = {kind: 'needs', text: i18n._('Little space left'), href: '/field/device'}
    if (store.lost)
      line = {kind: 'needs', text: i18n._('This phone has lost data'), href: '/field/device'}
  } catch {
    line = {
      kind: 'needs',
      text: i18n._('This phone’s storage cannot be read'),
      href: '/field/device',
    }
  }
  const html = render('field/status.html', line, i18n)
  // An unchanged live region must not be read out again.
  if (html !== shown) put(strip(), html, i18n)
  shown = html
  if (counted === saves) strip().removeAttribute('aria-busy')
}

const strip = () => byId('strip')

const PLACES = [
  ['/field/outbox', '/field/outbox'],
  ['/field/new', '/field/new'],
  ['/field/settings', '/field/settings'],
  ['/field/device', '/field/settings'],
  ['/field/sign-in', '/field/settings'],
]
let navShown = ''

/** The navigation bar. @param {I18n} i18n @param {string} path the address shown */
export function showNav(i18n, path) {
  const place = PLACES.find(([prefix]) => path.startsWith(prefix))?.[1] ?? '/field/'
  const html = render('field/nav.html', {place}, i18n)
  if (html === navShown) return
  navShown = html
  put(byId('nav'), html, i18n)
}

/** @param {HTMLElement} element @param {string} html @param {I18n} i18n */
function put(element, html, i18n) {
  element.lang = i18n.language
  element.dir = i18n.direction
  element.innerHTML = html
  window.htmx.process(element)
}
