"""The offline visit in engines other than Chromium: WebKitGTK and Firefox ESR.

`python -m tests.engines --engine webkit|firefox --times N`. Where an engine is not
installed, that is reported and nothing is counted.
"""
