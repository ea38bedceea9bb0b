// What a simulated run shares: its clock, the events since the last command, the requests that wait
// for a response, and IndexedDB whose tasks run one at a time.
// Invariant: time stands still until a command moves it, and a task of the database runs only when
// `nextTask` takes it from the queue, so the same commands give the same order on every machine.

// fake-indexeddb calls setImmediate for each task. Replaced before it is loaded, so that its tasks
// come to our queue: each is a possible moment of a crash.
const realImmediate = globalThis.setImmediate
const tasks = []
globalThis.setImmediate = task => {
  tasks.push(task)
}
export const idb = await import('fake-indexeddb')

/** `now` in milliseconds; `events` since the last command; `requests`: id → {page, resolve, reject}. */
export const run = {now: 0, events: [], requestCount: 0, requests: new Map()}

/** Note something that the command's answer reports. */
export const report = event => {
  run.events.push(event)
}

/** Forget everything of the run before. */
export function resetRun() {
  run.requests.clear()
  run.requestCount = 0
  tasks.length = 0
}

/** Queue a task behind those of the database. */
export const queueTask = task => {
  tasks.push(task)
}

/** The next task, after everything that needs none has run; null when there is none. */
export async function nextTask() {
  await new Promise(realImmediate)
  return tasks.shift() ?? null
}

/** Run all tasks of work that no kill interrupts. */
export async function runAll() {
  for (let task = await nextTask(); task; task = await nextTask()) task()
}
