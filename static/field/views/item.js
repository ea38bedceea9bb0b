// One item of the guide on the page of its section: what every answer to it gives back.

import {sectionView} from '../models/view_models.js'
import {fragment} from '../page/router.js'
import {pictograms} from '../pictograms.js'
import {uuid7} from '../record/ids.js'
import {views} from './context.js'
import {withPictures} from './photo.js'

/** A section with what its page adds to each item: a counter carries its own operation, a photo its picture. */
export const withPageFields = async (section, store, counted = '') => ({
  ...section,
  rows: await Promise.all(
    section.rows.map(async item => ({
      ...item,
      operation: item.tally ? uuid7() : '',
      counted: item.key === counted,
      photos: await withPictures(store, item.photos),
    })),
  ),
})

/** An item after something was saved about it, with its section's bar. */
export async function answered({store}, scene, key, counted = '') {
  const section = await withPageFields(
    sectionView(...views(scene), scene.packs.sv.items[key].section),
    store,
    counted,
  )
  return fragment('field/answered.html', {
    item: section.rows.find(one => one.key === key),
    section,
    url: scene.url,
    operation: uuid7(),
    pictograms,
  })
}
