// The shape of a guide pack: one language of one version of the guide, as the server sends it
// (pwa/guide/reader.py). Types only, nothing here runs.

export interface Pack {
  /** A hash of the whole guide. */
  version: string
  language: string
  direction: 'ltr' | 'rtl'
  /** Of the texts that `states` does not name: original, reviewed, translated or machine. */
  state: string
  /** Key of a text → its state, where it differs. */
  states: Record<string, string>
  sections: Section[]
  /** Key ("i39") → item. */
  items: Record<string, Item>
  /** Purpose ("K1") → consent. */
  consents: Record<string, ConsentPurpose>
  notices: Array<{key: string; parts: string[]}>
  /** Key → text, with {placeholders} for the company's facts. */
  texts: Record<string, string>
}

export interface Section {
  key: string
  number: string
  /** Keys of its items. */
  items: string[]
}

export interface Item {
  section: string
  kind: string
  /** Whether a closing names it while it has no answer. */
  must: boolean
  /** Codes. */
  answers: string[]
  /** The answer that the section's tick gives; "" where it gives none. */
  tick: string
  /** Answer → the follow-up to offer. */
  follow_ups: Record<string, {queue?: string; urgency?: string}>
  /** Whether words may be written about it. */
  free_text: boolean
  set_by: string
  law?: {verify?: boolean; as_of?: string}
  photo?: boolean
  /** An anonymous counter: its answers are in no visit. */
  tally: boolean
  reminder?: boolean
  critical?: boolean
  consents?: string[]
  notice?: string
  pictogram?: string
}

export interface ConsentPurpose {
  /** "named": the consent says who exactly may know. */
  recipient: string
  version: number
  expires_months: number
  expires_weeks: number
}

/** Language tag → pack; always with the original's. */
export type Packs = Record<string, Pack>
