// What a page's handler takes and gives. Types only, nothing here runs.

import type {I18n} from '../i18n.js'
import type {Person} from '../record/shapes.d.ts'
import type {Store} from '../store/store.js'
import type {Sync} from '../sync/schedule.js'

/** What every request is answered with, read anew for each. */
export interface Scene {
  store: Store
  /** null until it has started. */
  sync: Sync | null
  /** Who is signed in on this phone. */
  person: Person | null
  i18n: I18n
}

/** A form as htmx sends it: texts only, boot.js lets no file through. */
export interface Form {
  get(name: string): string | null
  has(name: string): boolean
}

/** One request to a page that anyone may see. */
export interface OpenCall extends Scene {
  /** From the address: {id} of /field/visits/:id. */
  params: Record<string, string>
  query: URLSearchParams
  /** Empty unless the method is POST. */
  form: Form
  /** Path and query. */
  path: string
  /** Whether the caller replaces a part of the page only. */
  partial: boolean
}

/** One request of somebody who is signed in on this phone. */
export interface Call extends OpenCall {
  person: Person
}

export type Result = PageResult | FragmentResult | RedirectResult | RefuseResult | DoneResult

export interface PageResult {
  type: 'page'
  template: string
  context: Record<string, unknown>
  status?: number
  /** The address to show, where it is another than the one asked for. */
  push?: string
  toast?: string
}

export interface FragmentResult {
  type: 'fragment'
  template: string
  context: Record<string, unknown>
  toast?: string
}

export interface RedirectResult {
  type: 'redirect'
  location: string
  toast?: string
}

export interface RefuseResult {
  type: 'refuse'
  message: string
  status: number
  toast?: undefined
}

export interface DoneResult {
  type: 'done'
  toast?: string
}
