// Reading back and closing. Everything written is shown in both languages; any line may be struck
// out; closing lists the must-items without an answer, and lets go of them in the same tap.

/** @typedef {import('../models/view_texts.js').View} View */

import {mustOpen, READ_BACK_ITEM, summaryView} from '../models/view_models.js'
import {page, redirect, refuse} from '../page/router.js'
import {winner} from '../record/apply.js'
import {uuid7} from '../record/ids.js'
import {openVisit, save, views} from './context.js'
import {withPictures} from './photo.js'

/** @import {Call} from '../page/shapes.d.ts' */

/**
 * Each entry with the id of the operation that would strike it out.
 * @param {View[]} rows @returns {View[]}
 */
const withStrike = rows => rows.map(one => ({...one, strike: uuid7()}))

/** @param {Call} call */
async function show(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const summary = summaryView(...views(scene))
  /** @type {View} */
  const visit = {
    ...summary,
    notes: withStrike(summary.notes),
    photos: withStrike(await withPictures(call.store, summary.photos)),
    follow_ups: withStrike(summary.follow_ups),
  }
  return page('field/read_back.html', {
    title: call.i18n._('Read back'),
    visit,
    url: scene.url,
    operation: uuid7(),
    answer_operation: uuid7(),
    answered: visit.detail
      .flatMap((/** @type {View} */ section) => section.rows)
      .filter((/** @type {View} */ item) => item.answer),
    decided: visit.consents.filter((/** @type {View} */ one) => one.decision),
  })
}

/** @param {Call} call */
async function close(call) {
  const {form, i18n} = call
  const scene = await openVisit(call)
  if (scene.failed) return refuse(i18n._('This visit is not on this phone'), 404)
  const readBack = form.get('read_back') === 'yes'
  /** @type {Array<{id?: string|null, kind: string, data: object}>} */
  const drafts = [
    {kind: 'visit.close', data: {let_go: mustOpen(scene.file, scene.packs), read_back: readBack}},
  ]
  // The read-back answers its own item, so that the closing does not count as left out.
  if (readBack && !winner(scene.file.record, `answer.${READ_BACK_ITEM}`)?.value) {
    drafts.push({
      id: form.get('answer_operation'),
      kind: 'visit.answer',
      data: {
        item: READ_BACK_ITEM,
        answer: 'ok',
        guide: scene.guide,
        language: scene.languages.tenant,
      },
    })
  }
  await save(call, drafts)
  return redirect(scene.url, {toast: i18n._('Closed and saved on this phone')})
}

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/visits/:id/read-back', show)
  routes.add('POST', '/field/visits/:id/close', close)
}
