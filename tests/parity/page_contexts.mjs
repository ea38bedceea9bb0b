// What the handlers of a visit's pages give to their templates, as JSON lines {template, context}:
// real contexts for the parity test, made by walking through one visit on the fake phone.

import {fakePhone, VISIT} from '../field/fake_phone.mjs'

const phone = fakePhone()
const render = ({template, context}) => {
  if (template) console.log(JSON.stringify({template, context}))
}
const get = async path => render(await phone.ask(phone.url + path))
const post = async (path, form) =>
  render(await phone.ask(phone.url + path, {operation: phone.uuid7(), ...form}))
const asked = {
  given_by: 'tenant',
  recipient: 'Hemtjänsten <Norr> & "Söder"',
  interpreter: 'on_site',
}

const everything = async () => {
  for (const page of [
    '',
    '/language',
    '/attempt',
    '/s/s01',
    '/s/s02',
    '/s/s04',
    '/s/s13',
    '/s/s04?at=i23',
    '/note',
    '/note?item=i23',
    '/follow-up',
    '/follow-up?item=i23',
    '/consents',
    '/consents/K2',
    '/consents/K10',
    '/read-back',
    '/tenant/item?item=i23',
    '/tenant/section?section=s02',
    '/tenant/consent?purpose=K2',
    '/tenant/notice?notice=missed',
  ])
    await get(page)
  render(await phone.ask('/field/'))
}

await everything()
render(await phone.ask('/field/new'))
await post('/tick', {section: 's04'})
await post('/answer', {item: 'i23', answer: 'silent'})
await post('/answer', {item: 'i69', answer: '1'})
await post('/note', {
  item: 'i23',
  text: 'Hallen <script>alert("1")</script> & \u2028 \u202Eomvänt \u{1F3E0}',
})
await post('/note', {item: '', text: "It's struck"})
await post('/retract', {target: phone.saved.at(-1).id})
phone.perform(VISIT, 'visit.photo', {item: 'i23', photo: 'b'.repeat(64)})
await post('/retract', {
  target: phone.perform(VISIT, 'visit.photo', {item: '', photo: 'a'.repeat(64)}),
})
phone.keep({sha256: 'b'.repeat(64), type: 'image/jpeg', bytes: new ArrayBuffer(9)})
await post('/follow-up', {item: 'i23', queue: 'FV', urgency: 'now', text: 'مرحبا'})
await post('/consents/K2/wording', asked)
await post('/consents/K2', {...asked, decision: 'yes', attested: 'yes'})
await post('/consents/K10', {...asked, decision: 'no'})
await post('/attempt', {outcome: 'not_home'})
await post('/attempt', {outcome: 'rebooked', date: '2026-12-06', time: '13:30'})
await everything()
await post('/consents/K2/withdraw', {})
await post('/close', {read_back: 'yes', answer_operation: phone.uuid7()})
await everything()
phone.perform(VISIT, 'visit.return', {
  points: [
    {item: 'i23', text: 'Vad sa den?'},
    {item: '', text: 'Mer'},
  ],
})
await post('/language', {language: 'so'})
await everything()
await post('/language', {language: 'sv'})
await everything()
