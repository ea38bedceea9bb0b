// Every page of the phone, in one place: the list of modules is the list of features.

import {Routes} from './page/router.js'
import * as device from './pages/device.js'
import * as outbox from './pages/outbox.js'
import * as settings from './pages/settings.js'
import * as signIn from './pages/sign_in.js'
import * as views from './views/index.js'

/** @returns {Routes} */
export function allRoutes() {
  const routes = new Routes()
  for (const module of [views, outbox, device, settings, signIn]) module.register(routes)
  return routes
}
