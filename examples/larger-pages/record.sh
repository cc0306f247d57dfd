#!/usr/bin/env bash
# Makes the reports of this folder anew, some minutes each. Needs Debian's valgrind, gcc, sqlite3 and
# python3, and `npm run build`.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT

capture() {
  local report=$1
  shift
  node "$here/../../dist/src/cli/main.js" capture --top 5 --output "$here/$report" -- "$@"
}

capture ls.txt ls -l /usr/bin > /dev/null
capture compiler.txt "$(gcc -print-prog-name=cc1)" -quiet -O2 primes.c -o /dev/null
capture database.txt sqlite3 -init orders.sql :memory: .exit
capture interpreter.txt /usr/bin/python3 -S words.py
gcc -O2 lookups.c -o "$built/lookups"
cd "$built" && capture lookups.txt ./lookups
