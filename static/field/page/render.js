// Templates on the phone. `templates.js` is compiled from the same Jinja files that Flask renders.
// Every page is a <title> and a <main>; what all pages need is added here, so that a handler gives
// only what belongs to its page.

import {render as renderTemplate} from '../../build/templates.js'

/**
 * @param {string} template name below templates/, as in 'field/outbox.html'
 * @param {Record<string, unknown>} context plain values: texts, integers, booleans, lists, objects
 * @param {import('../i18n.js').I18n} i18n
 * @returns {string} HTML, escaped
 */
export function render(template, context, i18n) {
  const common = {title: '', lang: i18n.language, dir: i18n.direction, screen: 'app'}
  return renderTemplate(template, {...common, ...context}, i18n)
}
