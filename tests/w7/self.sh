#!/bin/bash
# The bare-metal library's own program.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
bm self
