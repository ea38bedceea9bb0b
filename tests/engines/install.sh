#!/bin/sh
# WebKitGTK with its driver, Firefox ESR, and a display for the first: Debian's, by apt.
set -eu
if command -v WebKitWebDriver >/dev/null 2>&1 && command -v firefox-esr >/dev/null 2>&1 && command -v Xvfb >/dev/null 2>&1; then
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "WebKitGTK's driver, Xvfb and Firefox ESR are not here, and there is no apt to install them." >&2
  exit 1
fi
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "WebKitGTK and Firefox ESR: installing by apt"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends \
  webkit2gtk-driver gir1.2-webkit2-4.1 gir1.2-gtk-3.0 python3-gi xvfb xauth firefox-esr >/dev/null
