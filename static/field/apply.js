/**
 * What an operation does to a visit record: pure, the twin of sync/apply.py.
 *
 * Invariant (I4, I5): equal logs give equal records, and batches from one device may come in
 * any order; sync/vectors/apply/*.json are run against both languages. It refuses to check
 * rights or shapes: that is the server's, and what a phone made itself has the right shape.
 *
 * @typedef {{id: string, kind: string, subject: {type: string, id: string}, by: string,
 *   device: string, device_seq: number, at: string, base: number, data: Record<string, any>}} Operation
 * @typedef {Record<string, any>} VisitRecord
 * @typedef {{value: any, seq: number, op: string, by: string, at: string, device: string,
 *   device_seq: number, base: number}} Write
 */

const NOT_HOME_MAX = 3

/** Kinds that add an entry to a list: where, and which data they carry. */
const LISTS = {
  'visit.note': ['notes', ['item', 'text']],
  'visit.follow_up': ['follow_ups', ['item', 'queue', 'urgency', 'text']],
  'visit.attempt': ['attempts', ['outcome', 'date', 'time']],
  'visit.consent': ['consents', ['purpose', 'decision', 'text_key', 'text_version', 'text_sha256',
    'text_state', 'language', 'recipient', 'given_by', 'method', 'attested', 'signature',
    'interpreter', 'expires']],
  'visit.withdraw': ['consents', ['purpose', 'channel']],
  'visit.approve': ['reviews', ['comment']],
  'visit.return': ['reviews', ['points']],
}
const ANSWER_FIELDS = ['follow_up', 'text', 'done']

const CONTENT = new Set(['visit.language', 'visit.answer', 'visit.tick', 'visit.note',
  'visit.follow_up', 'visit.attempt', 'visit.consent', 'visit.retract', 'visit.close', 'visit.reopen'])
const NOT_BEGUN = new Set(['visit.attempt', 'visit.language'])

/** An empty visit record, before any operation. */
export function newVisit(id, tenancy, kind) {
  return {
    type: 'visit', id, seq: 0, tenancy, kind, cells: {}, notes: [], follow_ups: [], attempts: [],
    consents: [], reviews: [], assignments: [], retracted: [], late: [], content: {},
    content_seq: 0, blobs: [],
  }
}

/**
 * The record after `operation` took effect as number `seq`; the argument is not changed.
 * @param {VisitRecord | null} before
 * @param {Operation} operation
 * @param {number} seq
 * @returns {VisitRecord}
 */
export function apply(before, operation, seq) {
  const { data } = operation
  const record = before
    ? structuredClone(before)
    : newVisit(operation.subject.id, data.tenancy ?? '', data.kind ?? 'contact')
  if (operation.kind === 'visit.plan' || operation.kind === 'visit.open') {
    record.tenancy = data.tenancy || record.tenancy
    record.kind = data.kind
  }
  const cells = cellsOf(operation)
  for (const [field, value] of Object.entries(cells)) write(record.cells, field, value, operation, seq)
  grow(record, operation, seq)
  if (Object.hasOwn(cells, 'visitors')) record.assignments.push({ seq, visitors: [...cells.visitors] })
  if (CONTENT.has(operation.kind)) countContent(record, operation, seq)
  record.seq = Math.max(record.seq, seq)
  return record
}

/** The one-value-at-a-time fields this operation writes. */
function cellsOf({ kind, data, by }) {
  const cells = {}
  switch (kind) {
    case 'visit.assign':
      for (const key of ['visitors', 'date', 'time']) if (Object.hasOwn(data, key)) cells[key] = data[key]
      break
    case 'visit.open':
      cells.visitors = [by]
      if (data.language) cells.language = data.language
      break
    case 'visit.language':
      cells.language = data.language
      break
    case 'visit.answer':
      cells[`answer.${data.item}`] = data.answer
      break
    case 'visit.tick':
      for (const [item, answer] of Object.entries(data.answers)) cells[`answer.${item}`] = answer
      break
    case 'visit.attempt':
      cells.attempt = data.outcome
      if (data.outcome === 'rebooked') Object.assign(cells, { date: data.date ?? '', time: data.time ?? '' })
      break
    case 'visit.close':
      cells.closed = 'yes'
      break
    case 'visit.reopen':
      cells.closed = 'no'
      break
    case 'visit.cancel':
      cells.cancelled = 'yes'
      break
    case 'visit.choose':
      cells[data.field] = data.value
      break
  }
  if (data.guide) cells.guide = data.guide
  return cells
}

function write(cells, field, value, operation, seq) {
  const writes = (cells[field] ??= [])
  const known = writes.findIndex((one) => one.device === operation.device)
  if (known >= 0) {
    const newer = operation.device_seq > writes[known].device_seq
    const other = operation.device_seq < writes[known].device_seq
    // `guide` is pinned by a device's first word, everything else is its last.
    if (field === 'guide' ? !other : !newer) return
    writes.splice(known, 1)
  }
  writes.push({
    value, seq, op: operation.id, by: operation.by, at: operation.at, device: operation.device,
    device_seq: operation.device_seq, base: operation.base,
  })
  writes.sort((one, two) => one.seq - two.seq)
}

function grow(record, operation, seq) {
  const { kind, data } = operation
  if (kind === 'visit.retract') {
    if (!record.retracted.includes(data.operation)) {
      record.retracted.push(data.operation)
      record.retracted.sort()
    }
    for (const entry of [...record.notes, ...record.follow_ups]) {
      if (entry.id === data.operation) blank(entry)
    }
    return
  }
  if (kind === 'follow_up.answer') {
    for (const entry of record.follow_ups) {
      if (entry.id !== data.follow_up) continue
      entry.answers.push(entryOf(operation, ANSWER_FIELDS, seq))
      sortEntries(entry.answers)
    }
    return
  }
  if (!Object.hasOwn(LISTS, kind)) return
  const [name, fields] = LISTS[kind]
  const entry = entryOf(operation, fields, seq)
  if (name === 'notes' || name === 'follow_ups') {
    entry.retracted = false
    if (name === 'follow_ups') entry.answers = []
    if (record.retracted.includes(operation.id)) blank(entry)
  } else if (kind === 'visit.withdraw') {
    entry.decision = 'withdrawn'
  } else if (name === 'reviews') {
    entry.decision = kind.slice('visit.'.length)
  }
  record[name].push(entry)
  sortEntries(record[name])
  const signature = kind === 'visit.consent' ? data.signature : ''
  if (signature && !record.blobs.includes(signature)) {
    record.blobs.push(signature)
    record.blobs.sort()
  }
}

function entryOf(operation, fields, seq) {
  const entry = {}
  for (const field of fields) {
    if (Object.hasOwn(operation.data, field)) entry[field] = structuredClone(operation.data[field])
  }
  const { id, by, at, device, device_seq, base } = operation
  return Object.assign(entry, { id, by, at, seq, device, device_seq, base })
}

/** By seq, but the entries of one device in its own order: swapped batches give one list. */
function sortEntries(entries) {
  entries.sort((one, two) => one.seq - two.seq)
  const queues = new Map()
  for (const one of entries) {
    if (!queues.has(one.device)) queues.set(one.device, [])
    queues.get(one.device).push(one)
  }
  for (const queue of queues.values()) queue.sort((one, two) => one.device_seq - two.device_seq)
  entries.forEach((one, place) => { entries[place] = queues.get(one.device).shift() })
}

function blank(entry) {
  entry.text = ''
  entry.retracted = true
}

function countContent(record, operation, seq) {
  const { device, device_seq } = operation
  const last = Object.hasOwn(record.content, device) ? record.content[device] : null
  if (!NOT_BEGUN.has(operation.kind) && (!last || device_seq > last.device_seq)) {
    record.content[device] = { device_seq, seq }
  }
  record.content_seq = Math.max(record.content_seq, seq)
}

// --- reading a record ---------------------------------------------------------------------

/**
 * The write that counts for `field`, or null. For `guide` the earliest counts.
 * @returns {Write | null}
 */
export function winner(record, field) {
  const writes = Object.hasOwn(record.cells, field) ? record.cells[field] : []
  return (field === 'guide' ? writes[0] : writes.at(-1)) ?? null
}

/** The value that counts for `field`, or `fallback`. */
export function valueOf(record, field, fallback = '') {
  return winner(record, field)?.value ?? fallback
}

/** field → the writes in open conflict, the one that counts last. */
export function conflictsOf(record) {
  const found = {}
  for (const field of Object.keys(record.cells).sort()) {
    const writes = record.cells[field]
    const top = writes.at(-1)
    const unseen = writes.filter((one) => one.seq > top.base && !same(one.value, top.value))
    if (unseen.length && field !== 'guide') found[field] = [...unseen, top]
  }
  return found
}

function same(one, two) {
  return one === two || (Array.isArray(one) && Array.isArray(two) && one.length === two.length
    && one.every((value, place) => value === two[place]))
}

/** purpose → the decision that counts: the most restrictive head (PROTOCOL.md section 2). */
export function consentsOf(record) {
  const groups = new Map()
  for (const entry of record.consents) {
    groups.set(entry.purpose, [...(groups.get(entry.purpose) ?? []), entry])
  }
  return Object.fromEntries([...groups].map(([purpose, group]) => [purpose, mostRestrictive(heads(group))]))
}

/** The decision that counts for one purpose, or null where nobody was asked. */
export function consentOf(record, purpose) {
  const group = record.consents.filter((one) => one.purpose === purpose)
  return group.length ? mostRestrictive(heads(group)) : null
}

function saw(later, earlier) {
  if (later.device === earlier.device) return later.device_seq > earlier.device_seq
  return later.base >= earlier.seq
}

function heads(group) {
  return group.filter((one) => !group.some((other) => other !== one && saw(other, one)))
}

function mostRestrictive(found) {
  const rank = { yes: 0, no: 1, withdrawn: 2 }
  return found.reduce((top, one) =>
    rank[one.decision] > rank[top.decision]
      || (rank[one.decision] === rank[top.decision] && one.seq > top.seq) ? one : top)
}

/** The visit's state; the table in PROTOCOL.md section 2, first row that fits. */
export function stateOf(record) {
  const closed = winner(record, 'closed')
  if (valueOf(record, 'cancelled') === 'yes') return 'cancelled'
  const last = record.reviews.at(-1)
  if (last) {
    if (last.decision === 'approve') return record.content_seq > last.base ? 'changed' : 'approved'
    if (!closed || closed.value !== 'yes' || closed.base < last.seq) return 'returned'
  }
  return closed?.value === 'yes' ? 'done' : stateBeforeClose(record)
}

function stateBeforeClose(record) {
  const attempt = winner(record, 'attempt')
  const date = winner(record, 'date')
  const datedAfter = attempt !== null && date !== null && date.seq > attempt.seq
  if (attempt?.value === 'declined' && !datedAfter) {
    const content = record.content[attempt.device]
    if (!content || content.device_seq < attempt.device_seq) return 'declined'
  }
  if (Object.keys(record.content).length) return 'started'
  const tries = record.attempts.filter((one) => one.outcome === 'not_home').length
  if (tries >= NOT_HOME_MAX && !datedAfter) return 'not_reached'
  return date?.value ? 'booked' : 'planned'
}
