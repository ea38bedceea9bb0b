// What this browser says of itself: whether it promises to keep the storage, how full it is, how
// the app runs. Invariant: asked anew each time, and never in the way of a save. Where a browser
// has no answer the field is left out; nothing is guessed.

const ANSWER_MS = 2_000

/** A tab of Safari on an iPhone or iPad: what is saved there is deleted after seven days without a
 * visit (docs/browsers.md 1.1), so real data is refused. The app on the home screen is not such a tab.
 * @param {any} [navigator] @returns {boolean} */
export function iosBrowserTab(navigator = globalThis.navigator) {
  const agent = navigator?.userAgent ?? ''
  // iPadOS calls itself a Macintosh; no Macintosh has a touch screen.
  const ios =
    /iPhone|iPad|iPod/.test(agent) ||
    (/Macintosh/.test(agent) && (navigator.maxTouchPoints ?? 0) > 1)
  return ios && !installed(navigator)
}

/** Whether the app runs from the home screen. @param {any} [navigator] @returns {boolean} */
export function installed(navigator = globalThis.navigator) {
  if (navigator?.standalone === true) return true
  return ['standalone', 'fullscreen', 'minimal-ui'].some(
    mode => globalThis.matchMedia?.(`(display-mode: ${mode})`).matches ?? false,
  )
}

/** Ask for storage that is not cleared when space runs short. Firefox asks the person, so never
 * wait for the answer before a save. @returns {Promise<boolean|undefined>} undefined where there is no such question */
export async function askToPersist() {
  return asked(async () => (await navigator.storage.persisted()) || navigator.storage.persist())
}

/** The version of the worker that answers for this page; undefined where there is none.
 * @returns {Promise<string|undefined>} */
export const workerVersion = () =>
  asked(
    () =>
      new Promise(resolve => {
        const worker = navigator.serviceWorker.controller
        if (!worker) {
          resolve()
          return
        }
        const {port1, port2} = new MessageChannel()
        port1.onmessage = ({data}) => resolve(data)
        worker.postMessage('version', [port2])
      }),
  )

/** @returns {Promise<{persisted?: boolean, quota?: number, usage?: number, installed: boolean, version: string, worker?: string}>}
 *   quota and usage in bytes; the version of the app this page runs, and of the worker */
export async function report() {
  const persisted = await asked(() => navigator.storage.persisted())
  const {quota, usage} = (await asked(() => navigator.storage.estimate())) ?? {}
  const found = {
    persisted,
    quota,
    usage,
    installed: installed(),
    version: pageVersion(),
    worker: await workerVersion(),
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

/** The version of the app this page runs. @returns {string} */
export const pageVersion = () => globalThis.document?.documentElement.dataset.version ?? ''

async function asked(question) {
  try {
    // Some questions are never answered; nothing that asks them may wait for that.
    return await Promise.race([
      question(),
      new Promise(resolve => {
        setTimeout(resolve, ANSWER_MS)
      }),
    ])
  } catch {
    return undefined // an old browser, or storage switched off
  }
}
