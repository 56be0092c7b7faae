#!/bin/sh
# Runs the program of a recorded trace: run.sh NAME, beneath `fraglab record` as manifest.json says. Inputs are made on the
# way, from random numbers of their own. Addresses are not randomised where the system lets a program ask for that, and
# hashes are seeded, so that a program of the same version asks for the same blocks again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PERL_HASH_SEED=0

# Becomes the program.
become() {
  if setarch -R true 2>/dev/null; then exec setarch -R "$@"; else exec "$@"; fi
}

# Goes to a folder for files that are made on the way.
to_scratch() {
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  cd "$scratch"
}

case ${1-} in
  py-json | py-web | py-delta | py-pidigits | py-threads)
    become "${PYTHON:-python3}" "$here/$1.py"
    ;;
  lua-mix)
    become lua5.4 "$here/lua-mix.lua"
    ;;
  perl-words)
    become perl "$here/perl-words.pl"
    ;;
  jq-groups)
    become jq -n -f "$here/jq-groups.jq"
    ;;
  sqlite-shell)
    become sqlite3 -batch -init "$here/sqlite-shell.sql" :memory: .quit
    ;;
  cc1plus-templates)
    # The driver starts the compiler proper, cc1plus.
    become "${CXX:-g++}" -std=c++17 -O1 -S -o /dev/null "$here/templates.cc"
    ;;
  xmllint-xpath)
    to_scratch
    awk -f "$here/catalogue.awk" >catalogue.xml
    xmllint --format --xpath '//book[price>60 and tag]/title' catalogue.xml >titles
    ;;
  git-repack-mt)
    to_scratch
    git init -q --bare
    awk -v COMMITS=650 -f "$here/history.awk" | git fast-import --quiet
    echo refs/heads/main | git pack-objects --quiet --threads=2 --revs --no-reuse-delta --window=10 --depth=20 pack
    ;;
  redis-mesh)
    to_scratch
    # The LRU test of Powers et al., Mesh, PLDI 2019, at 4/25 of its size.
    ask() { redis-cli -s socket "$@"; }
    settle() { until [ "$(ask info memory | awk -F: '$1 == "used_memory" { print ($2 <= 16777216) }')" = 1 ]; do sleep 0.1; done; }
    redis-server --port 0 --unixsocket socket --save '' --enable-debug-command yes \
      --maxmemory 16mb --maxmemory-policy allkeys-lru --maxmemory-samples 10 &
    until ask ping 2>/dev/null | grep -q PONG; do sleep 0.1; done
    ask debug populate 112000 asdf 240
    settle
    ask debug populate 27200 asdf 492
    settle
    ask shutdown nosave
    wait
    ;;
  *)
    echo "usage: run.sh NAME, where NAME.fgt is a trace of manifest.json" >&2
    exit 2
    ;;
esac
