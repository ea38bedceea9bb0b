// The phone's view models against the vectors they share with the server.

import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import {test} from 'node:test'
import * as view from '../../static/field/models/view_models.js'

const {languages, packs, cases} = JSON.parse(
  readFileSync(new URL('../../sync/vectors/view_visit.json', import.meta.url), 'utf8'),
)

const all = one => [one.file, packs, one.languages, one.people, one.status]
const VIEWS = {
  visit: one => view.visitView(...all(one)),
  section: one => view.sectionView(...all(one), ...one.arguments),
  summary: one => view.summaryView(...all(one)),
  consent: one => view.consentView(one.file, packs, one.languages, one.people, ...one.arguments),
  notice: one => view.noticeView(one.file, packs, one.languages, ...one.arguments),
  head: one => view.headView(one.file, one.people),
  tick: one => view.tickOf(one.file, packs, ...one.arguments),
  untick: one => view.untickOf(one.file, packs, ...one.arguments),
  must_open: one => view.mustOpen(one.file, packs),
}

for (const one of cases) {
  test(`${one.view}: ${one.name}`, () => {
    const before = JSON.stringify([one, packs])
    assert.deepEqual(VIEWS[one.view](one), one.expected)
    assert.equal(JSON.stringify([one, packs]), before, 'a view changed what it was given')
  })
}

test('names and directions of languages are those of the guide', () => {
  // A language more, or fewer, needs no new vectors.
  for (const [tag, known] of Object.entries(view.LANGUAGES))
    assert.deepEqual(languages[tag] ?? known, known)
})

test('numbers stay whole in a right-to-left text', () => {
  assert.equal(view.isolate('اتصل 114 14'), 'اتصل \u2066114 14\u2069')
  assert.equal(view.isolate('5'), '5')
})
