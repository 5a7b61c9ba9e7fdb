#!/bin/sh
# No service is started while packages are installed (101: forbidden by policy).
exit 101
