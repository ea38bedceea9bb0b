// The letters of a phone's languages, for times without network: the worker keeps the fonts, this
// tells it which. A phone that none of them concerns keeps none (pwa/bundle/fonts.py).

async function tell(message) {
  const registration = await globalThis.navigator?.serviceWorker?.ready
  registration?.active?.postMessage(message)
}

/** Have the letters of these languages on the phone. @param {string[]} languages tags */
export const keepFonts = languages => tell({fonts: languages})

/** Have those of no others, but of the one on the screen. @param {string[]} languages tags */
export const dropOtherFonts = languages =>
  tell({onlyFonts: [...languages, globalThis.document?.documentElement.lang]})
