// Taking a photo of a fault: the picture and the operation that names it are saved together or not
// at all. Only of a point of the guide that asks for it; never where the phone runs short of space.

import {report} from '../browser.js'
import {refuse} from '../page/router.js'
import {openVisit, save} from './context.js'
import {answered} from './item.js'
import {hasRoom, heldPhoto, releasePhoto} from './photo.js'

/** @import {Call} from '../page/shapes.d.ts' */

/** @param {Call} call */
async function take(call) {
  const {
    form,
    i18n: {_},
  } = call
  const scene = await openVisit(call)
  const item = form.get('item') ?? ''
  if (scene.failed || !Object.hasOwn(scene.packs.sv.items, item))
    return refuse(_('This visit is not on this phone'), 404)
  const sha256 = form.get('photo') ?? ''
  const picture = heldPhoto(sha256)
  if (!picture) return refuse(_('This picture cannot be used. Nothing was saved; take a new one.'))
  if (call.store.tight || !hasRoom(await report())) {
    return refuse(
      _('Too little space on this phone for pictures. Text and consents are still saved.'),
      507,
    )
  }
  await save(call, [{kind: 'visit.photo', data: {item, photo: sha256}}], [{sha256, ...picture}])
  releasePhoto(sha256)
  return answered(call, await openVisit(call), item)
}

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('POST', '/field/visits/:id/photo', take)
}
