// The one error of a save. Whoever catches it leaves the form as it is.

/** @type {Record<string, string>} name of an error → code */
const CODES = {QuotaExceededError: 'quota', VersionError: 'app_older', StoreMissing: 'missing'}

/**
 * A save that did not happen: nothing of it is in the database, or it cannot be proved to be.
 * `code`: connection, quota, read_back, app_older, missing, not_enrolled, nobody, too_large.
 */
export class SaveFailed extends Error {
  /** @param {string} code @param {unknown} [cause] */
  constructor(code, cause) {
    super(`not saved: ${code}`, {cause})
    this.name = 'SaveFailed'
    this.code = code
  }

  /** @param {any} error @returns {SaveFailed} */
  static from(error) {
    if (error instanceof SaveFailed) return error
    return new SaveFailed(CODES[error?.name] ?? 'connection', error)
  }
}
