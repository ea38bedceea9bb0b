// The shapes of PROTOCOL.md and of what the phone keeps: types only, nothing here runs.

// --- operations (PROTOCOL.md 1)

/** One thing one person did. Its exact bytes are in the outbox; this is what they say. */
export interface Operation {
  id: string
  v: number
  kind: string
  subject: Subject
  by: string
  device: string
  device_seq: number
  /** The device's clock, ISO 8601 with offset. Data only, never used for order. */
  at: string
  /** The last server number this device had seen of the subject; 0 if none. */
  base: number
  data: any
}

export interface Subject {
  type: string
  id: string
}

/** What a page wants saved; `saveDrafts` makes the rest of the envelope. */
export interface Draft {
  /** Of the operation to be; made where a form has none. */
  id?: string | null
  kind: string
  subject: Subject
  data: object
}

export interface BlobDraft {
  sha256: string
  type: string
  bytes: ArrayBuffer
}

// --- the visit record (PROTOCOL.md 2)

/** One value of a cell. */
export interface Write {
  value: any
  seq: number
  op: string
  by: string
  at: string
  device: string
  device_seq: number
  base: number
}

/** What every entry of a list carries beside the data of its operation. */
export interface Entry {
  id: string
  by: string
  at: string
  seq: number
  device: string
  device_seq: number
  base: number
}

export interface Note extends Entry {
  item: string
  text: string
  retracted: boolean
}

export interface Photo extends Entry {
  item: string
  photo: string
  retracted: boolean
}

export interface FollowUp extends Entry {
  item: string
  queue: string
  urgency: string
  text: string
  retracted: boolean
  answers: FollowUpAnswer[]
}

export interface FollowUpAnswer extends Entry {
  text: string
  done: boolean
}

export interface Attempt extends Entry {
  outcome: string
  date?: string
  time?: string
}

/** A decision or a withdrawal; a withdrawal has `purpose`, `decision` and `channel` only. */
export interface Consent extends Entry {
  purpose: string
  decision: 'yes' | 'no' | 'withdrawn'
  channel?: string
  text_version?: string
  text_state?: string
  language?: string
  recipient?: string
  given_by?: string
  method?: string
  attested?: boolean
  signature?: string
  interpreter?: string
  expires?: string
  /** Its author may not have been shown what others decided. */
  alone?: boolean
}

export interface Review extends Entry {
  decision: 'approve' | 'return'
  comment?: string
  points?: Array<{item: string; text: string}>
}

export interface VisitRecord {
  type: 'visit'
  id: string
  seq: number
  tenancy: string
  kind: string
  cells: Record<string, Write[]>
  notes: Note[]
  photos: Photo[]
  follow_ups: FollowUp[]
  attempts: Attempt[]
  consents: Consent[]
  reviews: Review[]
  assignments: Array<{seq: number; visitors: string[]}>
  retracted: string[]
  late: string[]
  content: Record<string, {device_seq: number; seq: number}>
  content_seq: number
  blobs: string[]
}

/** A tenancy's fields as far as its reader may see them; {} where none are known. */
export interface Tenancy {
  street?: string
  apartment?: string
  postcode?: string
  city?: string
  area?: string
  building?: string
  move_in?: string
  language?: string
  tenants?: string[]
  phones?: Array<{original: string; e164: string}>
}

/** A visit with what pages show beside its record. */
export interface VisitFile {
  record: VisitRecord
  state: string
  tenancy: Tenancy
  /** The company's facts, as the tenant reads them. */
  settings: Record<string, string>
}

/** Where an operation is: on this phone, waiting for its author to sign in, sent, kept at the office for
 * good, or in need of someone. */
export type Place = 'phone' | 'waits' | 'sent' | 'filed' | 'needs'

/** A visit with this person's own operations on top. */
export interface OwnVisit extends VisitFile {
  id: string
  /** Operation id → where it is. */
  status: Record<string, Place>
  unsent: number
  held: number
}

// --- what the phone keeps (static/field/store)

/** An operation in the outbox. `text` are its exact bytes; no row is ever rewritten. */
export interface OutboxValue {
  id: string
  by: string
  visit: string
  sha256: string
  text: string
  /** null where the row can no longer be read. */
  operation: Operation | null
}

/** A row of the outbox whose operation can be read. */
export interface ReadableRow extends OutboxValue {
  operation: Operation
}

/** What the server said of an operation or (by hash) of a blob. */
export interface Receipt {
  id: string
  by: string
  visit: string
  result: 'applied' | 'held' | 'refused' | 'stored' | 'damaged'
  seq: number
  problem: string
  comment: string
  at: string
  /** Names the answer that said it. */
  push?: string
}

/** One person's snapshot of a visit. */
export interface VisitValue {
  id: string
  by: string
  visit: string
  seq: number
  /** Why the server shows it no longer; "" while it does. */
  gone: string
  stale: boolean
  /** null once it is gone. */
  record: VisitRecord | null
  tenancy: Tenancy
  settings: Record<string, string>
}

export interface BlobValue {
  id: string
  by: string
  visit: string
  type: string
  bytes: ArrayBuffer
}

/** This phone as a device. `key` proves to the server that it is this one. */
export interface Device {
  id: string
  since: string
  key: string
}

/** What was lost on this phone; `unsent`: operations that were on it alone, as far as is known. */
export interface Loss {
  reason: '' | 'emptied' | 'rolled_back' | 'other' | 'unopenable'
  device: string
  device_seq: number
  unsent: number
}

/** What the server last said besides visits. */
export interface Facts {
  /** User id → name. */
  people: Record<string, string>
  /** Version of the guide in force. */
  guide: string
  server_day: string
  /** How far the server's clock is ahead of this phone's. */
  clock_offset_ms: number
  /** Of the guide. */
  languages: string[]
  /** Language → name of its list of recordings. */
  recordings: Record<string, string>
  last_ok_at: string
}

/** Everything but the blobs' bytes, as of the `change`th write. Shared: read, never change. */
export interface Memory {
  change: number
  meta: Map<string, {id: string; value: any}>
  outbox: Map<string, OutboxValue>
  receipts: Map<string, Receipt>
  visits: Map<string, VisitValue>
  blobs: Set<string>
}

export type StoreName = 'meta' | 'outbox' | 'receipts' | 'visits' | 'blobs'

/** Into, or out of, the store it names. */
export type Change = Put | Drop
export interface Put {
  put: StoreName
  value: any
  drop?: undefined
}
export interface Drop {
  drop: StoreName
  id: string
  put?: undefined
}

// --- the wire (PROTOCOL.md 3 and 4)

/** Who is signed in, as the server tells it. */
export interface Person {
  id: string
  name: string
  role: string
  languages?: string[]
  interface_language: string
}

export interface PushResult {
  id: string
  sha256: string
  result: string
  seq: number
  problem: string
}

export interface PushAnswer {
  protocol: number
  server: string
  seq: number
  backup: number
  results: PushResult[]
  taken?: {seqs: Array<[number, number]>; sha256: string}
  gaps: Array<[number, number]>
  reused: number[]
  missing_blobs: string[]
}

/** A visit as the server makes it: the record, and what stands beside it. */
export interface Snapshot extends VisitRecord {
  tenancy_fields?: Tenancy
  settings?: Record<string, string>
  state: string
}

export interface PullAnswer {
  protocol: number
  server: string
  reader?: string
  cursor: string
  more: boolean
  reset: boolean
  backup: number
  keep_days: number
  today: string
  snapshots: Snapshot[]
  gone: Array<{id: string; reason: string}>
  people: Array<{id: string; name: string}>
  held: Array<{id: string; visit: string; problem: string; comment?: string}>
  guide: string
  languages: string[]
  /** Language → name of its list of recordings. */
  recordings: Record<string, string>
}
