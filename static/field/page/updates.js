// The worker and new versions of the app. Nothing waits for the worker: it makes the next start
// possible without network, not this one. A new version waits until the visitor accepts it, and
// never replaces a half-written form.

import {pageVersion, workerVersion} from '../browser.js'
import {byId} from './dom.js'
import {toast} from './forms.js'
import {render} from './render.js'

/** @typedef {import('../i18n.js').I18n} I18n */

/**
 * Register the worker, and offer new versions.
 * @param {{i18n: () => I18n, isDirty: () => boolean}} parts
 */
export function startUpdates({i18n, isDirty}) {
  const workers = navigator.serviceWorker
  if (!workers) return
  let taking = false
  let hadController = workers.controller !== null

  workers.addEventListener('controllerchange', async () => {
    // The very first worker claims the page it came with: nothing to do, unless a new version was
    // put in place between the page and its worker.
    if (!hadController) {
      hadController = true
      if ([pageVersion(), undefined].includes(await workerVersion())) return
    }
    if (taking) location.reload()
    else offer(null) // another tab took the new version
  })

  /**
   * Show the banner.
   * @param {ServiceWorker|null} waiting null: another tab has taken the new version
   */
  function offer(waiting) {
    const banner = byId('banner')
    banner.innerHTML = render('field/update.html', {}, i18n())
    banner.hidden = false
    banner.querySelector('button')?.addEventListener('click', () => {
      if (isDirty()) {
        toast(i18n()._('Save or finish what you are writing first.'), true)
        return
      }
      taking = true
      if (waiting) waiting.postMessage('activate')
      else location.reload()
    })
  }

  async function register() {
    try {
      const registration = await workers.register('/sw.js', {
        scope: '/field/',
        updateViaCache: 'none',
      })
      const watch = (/** @type {ServiceWorker|null} */ worker) =>
        worker?.addEventListener('statechange', () => {
          if (worker.state === 'installed' && workers.controller) offer(worker)
        })
      if (registration.waiting && workers.controller) offer(registration.waiting)
      watch(registration.installing)
      registration.addEventListener('updatefound', () => watch(registration.installing))
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState !== 'visible') return
        registration.update().catch(() => {}) // offline: next time
      })
    } catch (error) {
      // The app works; a start without network does not.
      console.error('The worker could not be registered', error)
    }
  }
  void register()
}
