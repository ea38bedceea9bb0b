// The wire against a real server on this machine: redirects and answers that never come.

import assert from 'node:assert/strict'
import {once} from 'node:events'
import {createServer} from 'node:http'
import {test} from 'node:test'

import {NotSent, transport} from '../../static/field/sync/transport.js'

/** @param {import('node:test').TestContext} t @param {import('node:http').RequestListener} listener */
async function serve(t, listener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${server.address().port}`
  return transport((url, init) => fetch(new URL(url, base), init))
}

const calls = {
  session: wire => wire.session(),
  push: wire => wire.push({device: 'd', operations: [], blobs: [], health: {}}),
  pull: wire => wire.pull(''),
  blobOffset: wire => wire.blobOffset('0'.repeat(64)),
  blobPut: wire => wire.blobPut('0'.repeat(64), new Uint8Array([1]), 0, 1, 'image/svg+xml'),
}

for (const [name, call] of Object.entries(calls)) {
  test(`${name} follows no redirect`, async t => {
    const paths = []
    const wire = await serve(t, (request, response) => {
      paths.push(request.url)
      // 303 turns whatever was asked into a GET, as sign-in pages and captive portals do.
      if (request.url !== '/portal') response.writeHead(303, {Location: '/portal'})
      response.end()
    })
    await assert.rejects(call(wire), error => error instanceof NotSent && error.kind === 'offline')
    assert.equal(paths.length, 1)
    assert.ok(!paths.includes('/portal'))
  })

  test(`${name} does not wait for ever for an answer`, async t => {
    const patience = new AbortController()
    const asked = []
    t.mock.method(AbortSignal, 'timeout', ms => {
      asked.push(ms)
      return patience.signal
    })
    // Accepts the request and never answers; its timeout ends as soon as it has arrived.
    const wire = await serve(t, () => patience.abort(new DOMException('too long', 'TimeoutError')))
    await assert.rejects(
      call(wire),
      error => error instanceof NotSent && error.kind === 'offline' && error.code === 'timeout',
    )
    assert.deepEqual(asked, [20_000])
  })
}
