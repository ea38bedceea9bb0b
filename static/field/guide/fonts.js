// Fonts for the languages of this phone, for times without network. The worker keeps them; this
// module asks it to. A phone whose languages need no font of ours keeps none (pwa/bundle/fonts.py).

/** @param {object} message */
async function post(message) {
  const registration = await globalThis.navigator?.serviceWorker?.ready
  registration?.active?.postMessage(message)
}

/** Have the fonts of these languages on the phone. @param {string[]} languages tags */
export const keepFonts = languages => post({fonts: languages})

/**
 * Delete those of all other languages, but for the one on the screen.
 * @param {string[]} languages tags
 */
export const dropOtherFonts = languages =>
  post({onlyFonts: [...languages, globalThis.document?.documentElement.lang]})
