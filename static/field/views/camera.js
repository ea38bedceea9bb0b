// The camera button of an item: the chosen picture is held on the page (photo.js), and a request
// with its hash goes to the router (photos.js).

import {uuid7} from '../record/ids.js'
import {holdPhoto} from './photo.js'

/**
 * Somebody chose a picture.
 * @param {HTMLInputElement} input its data attributes name the address and the item
 */
export async function takePhoto(input) {
  const {photo: address = '', item} = input.dataset
  const file = input.files?.[0]
  if (!file) return
  // Its id is made before anything is awaited: a second tap is a second picture.
  const operation = uuid7()
  input.disabled = true
  try {
    const photo = await holdPhoto(file).catch(() => '')
    // The same elements may show another visit by now; the photo is saved all the same.
    const card =
      input.isConnected && input.dataset.photo === address ? input.closest('.item') : null
    await window.htmx.ajax('POST', address, {
      source: document.body,
      target: card ?? document.body,
      swap: card ? 'outerMorph' : 'none',
      values: {item, photo, operation},
    })
  } finally {
    input.disabled = false
    input.value = ''
  }
}
