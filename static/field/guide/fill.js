// Company facts put into a text; twin of pwa/guide/fill.py. Invariant: no figure is ever invented.
// A sentence that needs a setting nobody has set is replaced by the fallback ("ask your landlord"),
// once per text. Pure, and equal to its twin (sync/vectors/fill.json runs against both). Values are
// not formatted here: a value arrives as the text a tenant reads, choices through `localise`.

const PLACEHOLDER = /\{([a-z0-9_]+(?:\.[A-Za-z0-9_]+)*)\}/g

// Body and the blanks after it; the same pattern as in fill.py, where the reasons are given.
const SENTENCE =
  /([^\n]*?(?:[.!?…؟۔።፧]+["'»”’)\]]*(?=[ \n]|(?![\s\S]))|(?=\n)|(?![\s\S])))([ \n]*)/g

/** @param {Record<string, string>} values @param {string} key */
const has = (values, key) => Object.hasOwn(values, key) && values[key] !== ''

/** The keys that a text refers to, in order. @param {string} text @returns {string[]} */
export function placeholders(text) {
  return [...text.matchAll(PLACEHOLDER)].map(found => found[1])
}

/**
 * `text` with every `{key}` replaced by its value. A sentence with a key that is missing or ''
 * becomes `fallback`; a second one disappears.
 * @param {string} text @param {Record<string, string>} settings @param {string} fallback
 * @returns {string}
 */
export function fill(text, settings, fallback) {
  /** @type {Array<[string, string]>} */
  const pieces = []
  let hasFallback = false
  for (const [, body, blanks] of text.matchAll(SENTENCE)) {
    if (!body && !blanks) continue
    if (placeholders(body).every(key => has(settings, key))) {
      pieces.push([body.replace(PLACEHOLDER, (_, key) => settings[key]), blanks])
    } else if (!hasFallback) {
      hasFallback = true
      pieces.push([fallback, blanks])
    } else if (pieces.length && blanks.includes('\n')) {
      // The dropped sentence ended its paragraph: the one before it does now.
      pieces[pieces.length - 1][1] = blanks
    }
  }
  return pieces
    .flat()
    .join('')
    .replace(/[ \n]+$/, '')
}

/**
 * `settings` with the codes of choices in the language of `texts` (key `value.<key>.<code>`,
 * several codes with ',' between them); other values stay as they are.
 * @param {Record<string, string>} settings @param {Record<string, string>} texts
 * @returns {Record<string, string>}
 */
export function localise(settings, texts) {
  const text = (/** @type {string} */ key) => (Object.hasOwn(texts, key) ? texts[key] : '')
  const comma = Object.hasOwn(texts, 'list.separator') ? texts['list.separator'] : ', '
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => {
      const names = value.split(',').map(code => text(`value.${key}.${code}`))
      return [key, names.every(Boolean) ? names.join(comma) : value]
    }),
  )
}
