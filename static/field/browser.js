// What this browser reports about itself: whether it promises to keep the storage, how full it is,
// how the app runs. Invariant: read anew each time, and no save waits for it. Where a browser has
// no answer the field is left out; nothing is guessed.

/**
 * @typedef {{persisted?: boolean, quota?: number, usage?: number, installed?: boolean,
 *   version?: string, worker?: string}} Report quota and usage in bytes; the version of the app
 *   this page runs, and of the worker
 */

const ANSWER_MS = 2_000

/**
 * A tab of Safari on an iPhone or iPad: what is saved there is deleted after seven days without a
 * visit (docs/browsers.md 1.1), so real data is refused. The app on the home screen is not such a
 * tab.
 * @param {any} [navigator] @returns {boolean}
 */
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

/**
 * Ask for storage that is not cleared when space runs short. Firefox asks the person, so never wait
 * for the answer before a save.
 * @returns {Promise<boolean|undefined>} undefined where the browser cannot be asked
 */
export async function askToPersist() {
  return answerOf(async () => (await navigator.storage.persisted()) || navigator.storage.persist())
}

/**
 * The version of the worker that answers for this page; undefined where there is none.
 * @returns {Promise<string|undefined>}
 */
export const workerVersion = () =>
  answerOf(
    () =>
      new Promise((/** @type {(version?: string) => void} */ resolve) => {
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

/**
 * What is reported to the server about this browser; what it does not tell is left out.
 * @returns {Promise<Report>}
 */
export async function report() {
  const persisted = await answerOf(() => navigator.storage.persisted())
  const {quota, usage} = (await answerOf(() => navigator.storage.estimate())) ?? {}
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

/**
 * The answer to a question; undefined where the browser has none, or gives none in time.
 * @template T @param {() => Promise<T>|T} question @returns {Promise<T|undefined>}
 */
async function answerOf(question) {
  try {
    // Some questions are never answered; nothing that asks them may wait for that.
    return await Promise.race([
      question(),
      new Promise(resolve => {
        setTimeout(() => resolve(undefined), ANSWER_MS)
      }),
    ])
  } catch {
    return undefined // an old browser, or storage switched off
  }
}
