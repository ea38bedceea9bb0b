// The pages of a visit, through the real router: what a tap saves, and what it refuses.

import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {beforeEach, test} from 'node:test'
import {fakePhone, TENANCY, VISIT} from './fake_phone.mjs'

const {expiryOf, mustInterpret} = await import('../../static/field/views/consents.js')
const {beginning, groupVisits} = await import('../../static/field/views/visits.js')
const {localVoice} = await import('../../static/field/views/controls.js')
const {holdSignature, signatureSvg} = await import('../../static/field/views/signature.js')
const {warningWord} = await import('../../static/field/views/warning_words.js')

let phone
beforeEach(() => {
  phone = fakePhone()
})
const post = (path, form) => phone.ask(phone.url + path, {operation: phone.uuid7(), ...form})
const get = path => phone.ask(phone.url + path)
const rowOf = (context, key) => context.section.rows.find(one => one.key === key)

test('one tap saves one answer, with the guide and the language it was given in', async () => {
  const {context, template} = await post('/answer', {item: 'i23', answer: 'silent'})
  assert.equal(template, 'field/answered.html')
  assert.equal(context.item.answer, 'silent')
  assert.deepEqual(
    phone.saved.map(({kind, data}) => ({kind, data})),
    [{kind: 'visit.answer', data: {item: 'i23', answer: 'silent', guide: 'g1', language: 'ar'}}],
  )
})

test('the guide to give is the tenant’s language, with the facts of the building or else the area', async () => {
  const linkOf = async () => (await get('')).context.guide_link
  assert.equal(await linkOf(), 'https://phone.test/g/ar?level=area%3ANorr')
  phone.visits.get(VISIT).tenancy = {...TENANCY, building: 'N 1 & 2'}
  assert.equal(await linkOf(), 'https://phone.test/g/ar?level=building%3AN+1+%26+2')
  phone.visits.get(VISIT).tenancy = {}
  assert.equal(await linkOf(), 'https://phone.test/g/ar')
})

test('a hasty double tap on an answer is one answer', async () => {
  await post('/answer', {item: 'i23', answer: 'silent'})
  const {context} = await post('/answer', {item: 'i23', answer: 'silent'})
  assert.equal(context.item.answer, 'silent')
  assert.equal(phone.saved.length, 1)
})

test('an answer is taken back by an empty one', async () => {
  await post('/answer', {item: 'i23', answer: 'silent'})
  const {context} = await post('/answer', {item: 'i23', answer: ''})
  assert.equal(context.item.answer, '')
  assert.equal(phone.saved.at(-1).data.answer, '')
})

test('an answer that the guide does not have is refused and not saved', async () => {
  assert.equal((await post('/answer', {item: 'i23', answer: 'burnt'})).status, 422)
  assert.equal((await post('/answer', {item: '__proto__', answer: 'yes'})).status, 422)
  assert.equal(phone.saved.length, 0)
})

test('an answered item also brings the section’s count and tick', async () => {
  const {context} = await post('/answer', {item: 'i23', answer: 'sounds'})
  assert.equal(context.section.answered, 1)
  assert.equal(context.section.can_tick, true)
})

test('a section tick answers what is to be explained, in one operation, and is undone in one', async () => {
  await post('/answer', {item: 'i24', answer: 'later'})
  const ticked = await post('/tick', {section: 's04'})
  assert.deepEqual(phone.saved.at(-1).data.answers, {i30: 'given'})
  assert.equal(rowOf(ticked.context, 'i24').answer, 'later')
  assert.equal(rowOf(ticked.context, 'i23').answer, '')
  const undone = await post('/tick', {section: 's04', undo: 'yes'})
  assert.equal(rowOf(undone.context, 'i30').answer, '')
  assert.equal(rowOf(undone.context, 'i24').answer, 'later')
  assert.equal(phone.saved.length, 3)
})

test('a tick can go on to the next section, and with nothing to tick it only goes on', async () => {
  const first = await post('/tick', {section: 's02', next: 's04'})
  assert.match(first.url, /\/s\/s04$/)
  await post('/tick', {section: 's02', next: 's04'})
  assert.equal(phone.saved.length, 1)
})

test('a counter leaves its day, area and value and nothing in the visit', async () => {
  const before = JSON.stringify(phone.visits.get(VISIT).record)
  const operation = phone.uuid7()
  const {context} = await post('/answer', {item: 'i69', answer: '2', operation})
  assert.equal(context.item.counted, true)
  const [{kind, subject, data}] = phone.saved
  assert.equal(kind, 'tally.count')
  assert.equal(subject.type, 'tally')
  assert.notEqual(subject.id, VISIT)
  assert.deepEqual(Object.keys(data), ['day', 'area', 'topic', 'value'])
  assert.deepEqual([data.area, data.topic, data.value], ['Norr', 'i69', '2'])
  assert.equal(JSON.stringify(phone.visits.get(VISIT).record), before)
  await post('/answer', {item: 'i69', answer: '2', operation})
  assert.equal(phone.saved.length, 1, 'a double tap counted twice')
})

test('rather not saying is not counted', async () => {
  assert.equal(
    (await post('/answer', {item: 'i69', answer: 'prefer_not'})).context.item.counted,
    true,
  )
  assert.equal(phone.saved.length, 0)
})

test('a follow-up is filled in from the answer, and the visitor confirms', async () => {
  await post('/answer', {item: 'i23', answer: 'silent'})
  const {context} = await get('/follow-up?item=i23')
  assert.equal(context.queues.find(one => one.chosen).code, 'FV')
  assert.equal(context.urgencies.find(one => one.chosen).code, 'same_day')
  await post('/follow-up', {item: 'i23', queue: 'FV', urgency: 'same_day', text: ''})
  assert.deepEqual(phone.saved.at(-1).data, {
    item: 'i23',
    queue: 'FV',
    urgency: 'same_day',
    text: '',
  })
  assert.equal((await post('/follow-up', {item: 'i23', queue: 'XX', urgency: 'now'})).status, 422)
})

test('a note has words, at most 280 of them as characters, and none where none are wanted', async () => {
  assert.equal((await post('/note', {item: 'i23', text: '  '})).status, 422)
  assert.equal((await post('/note', {item: 'i23', text: 'x'.repeat(281)})).status, 422)
  assert.equal((await post('/note', {item: 'i24', text: 'Something'})).status, 422)
  assert.equal(phone.saved.length, 0)
  assert.equal(
    (await post('/note', {item: 'i23', text: '\u{1F600}'.repeat(280)})).toast,
    'Saved on this phone',
  )
  assert.match((await get('/note?item=i24')).url, /\/s\/s04\?at=i24$/)
})

test('a form sent twice is one operation', async () => {
  const operation = phone.uuid7()
  await post('/note', {item: '', text: 'Lampan', operation})
  await post('/note', {item: '', text: 'Lampan', operation})
  assert.equal(phone.visits.get(VISIT).record.notes.length, 1)
})

test('a line is struck out when it is read back', async () => {
  await post('/note', {item: '', text: 'Väck'})
  const {context} = await post('/retract', {target: phone.saved[0].id})
  assert.equal(context.visit.notes[0].retracted, true)
  assert.equal(context.visit.notes[0].text, '')
})

const asked = {interpreter: 'none', given_by: 'tenant', recipient: 'Hemtjänsten'}

test('no consent is chosen beforehand', async () => {
  const {context} = await get('/consents')
  assert.deepEqual(
    context.visit.consents.map(one => one.decision),
    ['', ''],
  )
})

test('a yes on a text nobody has reviewed needs an interpreter or an ambassador', async () => {
  for (const interpreter of ['none', 'staff']) {
    const refused = await post('/consents/K10', {
      ...asked,
      decision: 'yes',
      attested: 'yes',
      interpreter,
    })
    assert.equal(refused.status, 422)
    assert.match(refused.toast, /interpreter/)
  }
  assert.equal(phone.saved.length, 0)
  await post('/consents/K10', {
    ...asked,
    decision: 'yes',
    attested: 'yes',
    interpreter: 'telephone',
  })
  assert.equal(phone.saved[0].data.decision, 'yes')
  assert.equal(phone.saved[0].data.language, 'sv')
})

test('a no is as easy as it gets: it needs neither signature nor interpreter', async () => {
  await post('/consents/K10', {interpreter: 'none', decision: 'no'})
  const {data} = phone.saved[0]
  assert.deepEqual([data.decision, data.method, data.expires], ['no', 'oral', ''])
})

test('a yes names its recipient and is signed or attested', async () => {
  assert.equal(
    (await post('/consents/K2', {...asked, recipient: ' ', decision: 'yes', attested: 'yes'}))
      .status,
    422,
  )
  assert.equal((await post('/consents/K2', {...asked, decision: 'yes'})).status, 422)
  assert.equal(phone.saved.length, 0)
})

test('a consent keeps the hash of the exact words that were shown', async () => {
  const shown = (await post('/consents/K2/wording', {recipient: 'Hemtjänsten'})).context.consent
    .text_tenant
  await post('/consents/K2', {...asked, decision: 'yes', attested: 'yes'})
  const {data} = phone.saved[0]
  assert.match(shown, /Hemtjänsten/)
  assert.equal(data.text_sha256, createHash('sha256').update(shown).digest('hex'))
  assert.deepEqual([data.text_state, data.language, data.text_version], ['reviewed', 'ar', '3'])
})

test('signature bytes go beside the form, and what is shown comes from the stored bytes', async () => {
  const svg = signatureSvg(
    [
      {
        points: [
          {x: 1, y: 2},
          {x: 3.4, y: 5},
          {x: 8, y: 9},
        ],
      },
    ],
    300,
    150,
  )
  const signature = await holdSignature(new TextEncoder().encode(svg).buffer)
  const {context} = await post('/consents/K2', {...asked, decision: 'yes', signature})
  assert.equal(phone.saved[0].data.method, 'signature')
  assert.equal(context.signature_source, `data:image/svg+xml,${encodeURIComponent(svg)}`)
  const lost = await post('/consents/K2', {...asked, decision: 'yes', signature: 'f'.repeat(64)})
  assert.equal(lost.status, 422)
  assert.match(lost.toast, /sign once more/)
})

test('a yes is taken back with one tap', async () => {
  await post('/consents/K2', {...asked, decision: 'yes', attested: 'yes'})
  const {context} = await post('/consents/K2/withdraw', {})
  assert.equal(context.consent.decision, 'withdrawn')
})

test('a recipient being typed is never in an address', async () => {
  await post('/consents/K2/wording', {recipient: 'Vårdcentralen Söder'})
  const turned = await get('/tenant/consent?purpose=K2')
  assert.match(turned.context.texts[0].text, /Vårdcentralen Söder/)
  assert.doesNotMatch(decodeURIComponent(turned.url + turned.context.back), /Söder/)
})

test('closing lets go of what has no answer and records that it was read back', async () => {
  await post('/answer', {item: 'i23', answer: 'sounds'})
  const {context} = await get('/read-back')
  assert.deepEqual(
    context.visit.must_open.map(one => one.key),
    ['i09', 'i10', 'i30'],
  )
  const closed = await post('/close', {read_back: 'yes', answer_operation: phone.uuid7()})
  assert.deepEqual(phone.saved[1].data, {let_go: ['i09', 'i10', 'i30'], read_back: true})
  assert.deepEqual([phone.saved[2].data.item, phone.saved[2].data.answer], ['i67', 'ok'])
  assert.equal(closed.context.visit.state, 'done')
  assert.equal((await post('/reopen', {})).context.visit.state, 'started')
})

test('a returned visit shows its points, is put right and closed once more', async () => {
  await post('/close', {read_back: 'yes', answer_operation: phone.uuid7()})
  phone.perform(VISIT, 'visit.return', {points: [{item: 'i23', text: 'Vad sa den?'}]})
  assert.equal((await get('')).context.visit.points[0].text, 'Vad sa den?')
  assert.equal(rowOf((await get('/s/s04')).context, 'i23').points.length, 1)
  await post('/answer', {item: 'i23', answer: 'silent'})
  const closed = await post('/close', {read_back: 'yes', answer_operation: phone.uuid7()})
  assert.equal(closed.context.visit.state, 'done')
  assert.deepEqual(closed.context.visit.points, [])
})

test('a no thank you is recorded without a reason', async () => {
  const {context} = await post('/attempt', {outcome: 'declined', reason: 'x', date: '2026-12-05'})
  assert.deepEqual(phone.saved[0].data, {outcome: 'declined'})
  assert.equal(context.visit.state, 'declined')
})

test('a new time needs both date and time', async () => {
  assert.equal(
    (await post('/attempt', {outcome: 'rebooked', date: '2026-12-05', time: ''})).status,
    422,
  )
  const {context} = await post('/attempt', {outcome: 'rebooked', date: '2026-12-05', time: '09:30'})
  assert.deepEqual([context.visit.date, context.visit.time], ['2026-12-05', '09:30'])
})

test('the language of the visit is one tap, at any time', async () => {
  assert.equal((await post('/language', {language: 'xx'})).status, 422)
  const {context} = await post('/language', {language: 'so'})
  assert.equal(context.visit.tenant.tag, 'so')
  assert.equal(context.guide_complete, false)
})

test('a visit that nobody planned starts on the phone', async () => {
  const form = (await phone.ask('/field/new')).context
  const made = await phone.ask('/field/new', {
    operation: form.operation,
    visit_id: form.visit_id,
    kind: 'contact',
    tenancy: '',
    language: 'ar',
  })
  assert.equal(made.url, `/field/visits/${form.visit_id}`)
  assert.equal(made.context.visit.kind, 'contact')
  assert.deepEqual(phone.saved[0].subject, {type: 'visit', id: form.visit_id})
})

test('a visit that is not on the phone leads to a page that says what to do', async () => {
  const {status, template, context} = await phone.ask('/field/visits/none')
  assert.equal(status, 404)
  assert.equal(template, 'field/message.html')
  assert.match(context.text, /Nothing you wrote is lost/)
})

test('the turned screen is in the tenant’s language and never reads a consent aloud', async () => {
  const item = (await get('/tenant/item?item=i23')).context
  assert.deepEqual([item.lang, item.dir, item.screen, item.aloud], ['ar', 'rtl', 'tenant', true])
  assert.equal(
    item.texts[1].lang,
    'sv',
    'a fire text that nobody reviewed stands without its original',
  )
  assert.equal((await get('/tenant/consent?purpose=K2')).context.aloud, false)
  assert.equal((await get('/tenant/notice?notice=missed')).context.texts.length, 1)
  assert.equal((await get('/tenant/notice?notice=nothing')).template, 'field/visit.html')
})

test('a fire text has its original beside it until a native speaker has reviewed it', async () => {
  const {states} = await globalThis.fakePack('g1', 'ar')
  const tags = async () => (await get('/tenant/item?item=i23')).context.texts.map(one => one.lang)
  try {
    for (const [state, shown] of [
      ['machine', ['ar', 'sv']],
      ['translated', ['ar', 'sv']],
      ['reviewed', ['ar']],
    ]) {
      states['i23.explain'] = state
      assert.deepEqual(await tags(), shown, state)
    }
  } finally {
    delete states['i23.explain']
  }
})

async function readInEnglish(look) {
  const packOf = globalThis.fakePack
  globalThis.fakePack = (version, language) => packOf(version, language === 'en' ? 'sv' : language)
  globalThis.localStorage = {getItem: name => (name === 'troskel.language' ? 'en' : null)}
  try {
    return await look()
  } finally {
    globalThis.fakePack = packOf
    delete globalThis.localStorage
  }
}

test('the original beside a fire text is Swedish, whatever language the visitor reads', async () => {
  const {texts} = await readInEnglish(async () => (await get('/tenant/item?item=i23')).context)
  assert.deepEqual(
    texts.map(one => one.lang),
    ['ar', 'sv'],
  )
})

test('the visitor reads in the language chosen on this phone, at once', async () => {
  const {section} = await readInEnglish(async () => (await get('/s/s04')).context)
  assert.equal(section.heading_lang, 'en')
})

test('the list shows returned visits first, then today, coming and earlier ones', async () => {
  const file = (await phone.store.visits())[0]
  const at = (id, date, state) => ({
    ...file,
    id,
    state,
    record: {
      ...file.record,
      id,
      cells: {...file.record.cells, date: [{...file.record.cells.date[0], value: date}]},
    },
  })
  const groups = groupVisits(
    [
      at('a', '2026-12-09', 'booked'),
      at('b', '2026-12-01', 'booked'),
      at('c', '2026-11-01', 'returned'),
      at('d', '2026-11-20', 'done'),
      at('e', '', 'planned'),
      at('f', '2026-11-25', 'done'),
    ],
    {},
    '2026-12-01',
  )
  assert.deepEqual(
    groups.map(({key, rows}) => [key, rows.map(one => one.id).join('')]),
    [
      ['returned', 'c'],
      ['today', 'b'],
      ['coming', 'a'],
      ['unbooked', 'e'],
      ['earlier', 'fd'],
    ],
  )
})

test('a long group begins with its first visits, and never without one that is unsent or needs someone', () => {
  const rows = Array.from({length: 40}, (_, n) => ({
    id: n,
    unsent: n === 20 ? 1 : 0,
    held: n === 30 ? 1 : 0,
  }))
  const shown = key => beginning({key, rows, total: 40}).rows.map(one => one.id)
  assert.deepEqual(shown('coming'), [...Array(15).keys(), 20, 30])
  assert.deepEqual(shown('today').length, 40)
  assert.deepEqual(shown('returned').length, 40)
})

test('a consent ends on the last day of a month that is too short', () => {
  assert.equal(expiryOf({expires_months: 3, expires_weeks: 0}, '2026-11-30'), '2027-02-28')
  assert.equal(expiryOf({expires_months: 0, expires_weeks: 8}, '2026-12-01'), '2027-01-26')
  assert.equal(expiryOf({expires_months: 0, expires_weeks: 0}, '2026-12-01'), '')
})

test('reviewed words in the tenant’s own language need no interpreter', () => {
  assert.equal(mustInterpret({shown_tag: 'ar', shown_state: 'reviewed'}, 'ar'), false)
  assert.equal(mustInterpret({shown_tag: 'ar', shown_state: 'translated'}, 'ar'), true)
  assert.equal(mustInterpret({shown_tag: 'sv', shown_state: 'original'}, 'ar'), true)
  assert.equal(mustInterpret({shown_tag: 'sv', shown_state: 'original'}, 'sv'), false)
})

test('a long signature is thinned until it can ride along', () => {
  const points = Array.from({length: 4000}, (_, i) => ({x: i % 300, y: (i * 7) % 150}))
  const svg = signatureSvg([{points}, {points: [{x: 1, y: 1}]}], 300, 150)
  assert.ok(svg.length <= 12 * 1024)
  assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 300 150"><path d="M/)
})

test('only a voice that lives on the phone reads aloud', () => {
  const voices = [
    {lang: 'ar-EG', localService: false},
    {lang: 'sv_SE', localService: true},
  ]
  assert.equal(localVoice(voices, 'ar'), undefined)
  assert.equal(localVoice(voices, 'sv'), voices[1])
})

test('words about a person are warned of, words about things are not', () => {
  const warned = {
    'Hon är sjuk': 'sjuk',
    Sjukskriven: 'Sjukskriven',
    'enligt socialtjänsten': 'socialtjänsten',
    'kontakt med soc.': 'soc',
    'har missbruksproblem': 'missbruksproblem',
    '19850101-1234': '19850101-1234',
    'Polisen kom': 'Polisen',
    'saknar uppehållstillstånd': 'uppehållstillstånd',
    'stökigt hemma': 'stökigt',
  }
  for (const [text, word] of Object.entries(warned)) assert.equal(warningWord(text), word)
  for (const text of [
    'Sockeln i köket är lös',
    'Sex krokar saknas',
    'Facken i frysen är trasiga',
    'Hög tröskel till badrummet',
    'Brandvarnaren är tyst',
    'Ring 070-123 45 67',
  ]) {
    assert.equal(warningWord(text), '', text)
  }
})
