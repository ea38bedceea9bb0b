// A link passed on: by the phone's own sharing where there is one, else copied. Nothing is sent and
// no network is needed. Where neither works the link is selected, so that it can be copied by hand.

import {byId} from '../page/dom.js'
import {toast} from '../page/forms.js'

/**
 * Share the link whose id `button` has in data-shares; data-copied is the message after copying.
 * @param {HTMLElement} button
 */
export async function share(button) {
  const {shares = '', copied = ''} = button.dataset
  const link = /** @type {HTMLAnchorElement} */ (byId(shares))
  try {
    if (navigator.share) return await navigator.share({url: link.href})
  } catch (error) {
    if (error.name === 'AbortError') return // closed by the person
  }
  try {
    await navigator.clipboard.writeText(link.href)
    toast(copied)
  } catch {
    getSelection()?.selectAllChildren(link)
  }
}
