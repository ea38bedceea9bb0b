// What this browser says of itself: whether it promises to keep the storage, how full it is, how
// the app runs. Invariant: asked anew each time, and never in the way of a save. Where a browser
// has no answer the field is left out; nothing is guessed.

/** A tab of Safari on an iPhone or iPad: what is saved there is deleted after seven days without a
 * visit (platform.md 1.1), so real data is refused. The app on the home screen is not such a tab.
 * @param {any} [navigator] @returns {boolean} */
export function iosBrowserTab(navigator = globalThis.navigator) {
  const agent = navigator?.userAgent ?? ''
  // iPadOS calls itself a Macintosh; no Macintosh has a touch screen.
  const ios = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && (navigator.maxTouchPoints ?? 0) > 1)
  return ios && !installed(navigator)
}

/** Whether the app runs from the home screen. @param {any} [navigator] @returns {boolean} */
export function installed(navigator = globalThis.navigator) {
  if (navigator?.standalone === true) return true
  return ['standalone', 'fullscreen', 'minimal-ui'].some(mode => globalThis.matchMedia?.(`(display-mode: ${mode})`).matches ?? false)
}

/** Ask for storage that is not cleared when space runs short. Firefox asks the person, so never
 * wait for the answer before a save. @returns {Promise<boolean|undefined>} undefined where there is no such question */
export async function askToPersist() {
  return asked(async () => await navigator.storage.persisted() || navigator.storage.persist())
}

/** @returns {Promise<{persisted?: boolean, quota?: number, usage?: number, installed: boolean, version: string}>}
 *   quota and usage in bytes; the version of the app this page runs */
export async function report() {
  const persisted = await asked(() => navigator.storage.persisted())
  const {quota, usage} = await asked(() => navigator.storage.estimate()) ?? {}
  const found = {persisted, quota, usage, installed: installed(), version: globalThis.document?.documentElement.dataset.version ?? ''}
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

async function asked(question) {
  try {
    return await question()
  } catch {
    return undefined // an old browser, or storage switched off
  }
}
