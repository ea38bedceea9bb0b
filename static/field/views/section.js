// One section of the conversation: answers, the section's tick, and the anonymous counters. An
// answer that is stored already is not written again, so a hasty double tap is one answer. A
// counter (smiley, idea) leaves nothing in the visit (docs/design.md 7.9).

/** @typedef {import('../models/view_texts.js').View} View */
/** @typedef {import('./context.js').VisitScene} VisitScene */

import {sectionView, tickOf, untickOf} from '../models/view_models.js'
import {page, redirect, refuse} from '../page/router.js'
import {pictograms} from '../pictograms.js'
import {winner} from '../record/apply.js'
import {uuid4, uuid7} from '../record/ids.js'
import {saveDrafts} from '../store/outbox.js'
import {addressOf, openVisit, save, talkSections, todayOf, views} from './context.js'
import {answered, withPageFields} from './item.js'

/** @import {Call} from '../page/shapes.d.ts' */

/** @param {Call} call */
async function show(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const {sections} = scene.packs.sv
  const at = sections.findIndex(one => one.key === call.params.section)
  if (at < 0) return redirect(scene.url)
  const section = await withPageFields(
    sectionView(...views(scene), call.params.section),
    call.store,
  )
  const talk = talkSections(scene.packs)
  const place = talk.indexOf(section.key)
  return page('field/section.html', {
    title: section.heading,
    section,
    pictograms,
    url: scene.url,
    address: addressOf(scene),
    previous: place > 0 ? talk[place - 1] : '',
    next: place >= 0 ? (talk[place + 1] ?? '') : talk[0],
    operation: uuid7(),
    next_operation: uuid7(),
    at: section.rows.some((/** @type {View} */ item) => item.key === call.query.get('at'))
      ? call.query.get('at')
      : '',
  })
}

/** @param {Call} call */
async function answer(call) {
  const {form, i18n} = call
  const scene = await openVisit(call)
  if (scene.failed) return refuse(i18n._('This visit is not on this phone'), 404)
  const key = form.get('item') ?? ''
  const chosen = form.get('answer') ?? ''
  const items = scene.packs.sv.items
  const item = Object.hasOwn(items, key) ? items[key] : null
  if (!item || (chosen && !item.answers.includes(chosen)))
    return refuse(i18n._('The guide has no such answer.'))
  if (item.tally) {
    await count(call, scene, key, chosen)
    return answered(call, scene, key, key)
  }
  if ((winner(scene.file.record, `answer.${key}`)?.value ?? '') !== chosen) {
    const data = {item: key, answer: chosen, guide: scene.guide, language: scene.languages.tenant}
    await save(call, [{kind: 'visit.answer', data}])
  }
  return answered(call, await openVisit(call), key)
}

/**
 * Raise an anonymous counter. "Rather not say" counts nothing.
 * @param {Call} call @param {VisitScene} scene @param {string} topic @param {string} value
 */
async function count({store, form}, scene, topic, value) {
  if (!value || value === 'prefer_not') return
  await saveDrafts(store, [
    {
      id: form.get('operation'),
      kind: 'tally.count',
      subject: {type: 'tally', id: uuid4()},
      data: {day: todayOf(scene.facts), area: scene.file.tenancy.area ?? '', topic, value},
    },
  ])
}

/** @param {Call} call */
async function tick(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const section = call.form.get('section') ?? ''
  const answersOf = call.form.get('undo') ? untickOf : tickOf
  const answers = answersOf(scene.file, scene.packs, section)
  if (Object.keys(answers).length > 0) {
    await save(call, [
      {
        kind: 'visit.tick',
        data: {section, answers, guide: scene.guide, language: scene.languages.tenant},
      },
    ])
  }
  return redirect(`${scene.url}/s/${call.form.get('next') || section}`)
}

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/visits/:id/s/:section', show)
  routes.add('POST', '/field/visits/:id/answer', answer)
  routes.add('POST', '/field/visits/:id/tick', tick)
}
