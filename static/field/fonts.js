// The letters of a phone's languages, for times without network: the worker keeps the fonts, this
// tells it which. A phone that none of them concerns keeps none (pwa/fonts.py).

/** Have the letters of these languages on the phone, and of the one on the screen; no other's.
 * @param {string[]} languages tags */
export async function keepFonts(languages) {
  const registration = await globalThis.navigator?.serviceWorker?.ready
  registration?.active?.postMessage({fonts: [...new Set([...languages, document.documentElement.lang])]})
}
