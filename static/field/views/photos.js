// Taking a photo of a fault: the picture and the operation that names it are saved together or not
// at all. Only of a point of the guide that asks for it; never where the phone runs short of space.

import {report} from '../browser.js'
import {hasRoom, heldPhoto, holdPhoto, releasePhoto} from './photo.js'
import {refuse} from '../page/router.js'
import {uuid7} from '../record/ids.js'
import {openVisit, save} from './context.js'
import {answered} from './section.js'

async function take(call) {
  const {form, i18n: {_}} = call
  const scene = await openVisit(call)
  const item = form.get('item')
  if (scene.failed || !Object.hasOwn(scene.packs.sv.items, item)) return refuse(_('This visit is not on this phone'), 404)
  const sha256 = form.get('photo')
  const picture = heldPhoto(sha256)
  if (!picture) return refuse(_('This picture cannot be used. Nothing was saved; take a new one.'))
  if (call.store.tight || !hasRoom(await report())) {
    return refuse(_('Too little space on this phone for pictures. Text and consents are still saved.'), 507)
  }
  await save(call, [{kind: 'visit.photo', data: {item, photo: sha256}}], [{sha256, ...picture}])
  releasePhoto(sha256)
  return answered(call, await openVisit(call), item)
}

/** Somebody chose a picture. @param {HTMLInputElement} input carries the address and the item */
export async function takePhoto(input) {
  const {photo: address, item} = input.dataset
  const [file] = input.files
  if (!file) return
  // Named before the first wait: a second tap is a second picture.
  const operation = uuid7()
  input.disabled = true
  try {
    const photo = await holdPhoto(file).catch(() => '')
    // The page may be another visit's by now, in the same elements; the photo is saved all the same.
    const card = input.isConnected && input.dataset.photo === address ? input.closest('.item') : null
    await window.htmx.ajax('POST', address, {
      source: document.body, target: card ?? document.body, swap: card ? 'outerMorph' : 'none', values: {item, photo, operation},
    })
  } finally {
    input.disabled = false
    input.value = ''
  }
}

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('POST', '/field/visits/:id/photo', take)
}
