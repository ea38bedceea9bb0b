// A link handed on: to the phone's own sharing where there is one, else copied.
//
// It sends nothing itself, and needs no network: a link is only words. Where neither works the link
// is marked, so that it can be copied by hand. A person who closes the sharing has not failed.

import {toast} from '../page/forms.js'

/** Hand on the link that `button` names in data-shares; data-copied is what is said of a copied one.
 * @param {HTMLElement} button */
export async function share(button) {
  const {shares, copied} = button.dataset
  const link = document.getElementById(shares)
  try {
    if (navigator.share) return await navigator.share({url: link.href})
  } catch (error) {
    if (error.name === 'AbortError') return
  }
  try {
    await navigator.clipboard.writeText(link.href)
    toast(copied)
  } catch {
    getSelection().selectAllChildren(link)
  }
}
