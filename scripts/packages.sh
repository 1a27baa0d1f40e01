# Sourced by the other scripts: what the build and the tests need from Debian 12, and how it gets here.
# The reasons for each package are in docs/dependencies.md.

build_packages=(g++ cmake ninja-build pkg-config ccache mold libboost1.81-dev libsodium-dev
    libleveldb-dev libsnappy-dev libspdlog-dev nlohmann-json3-dev libgtest-dev libgmock-dev
    libexpected-dev libcli11-dev libjemalloc-dev libbenchmark-dev libminiupnpc-dev libnatpmp-dev
    libqrencode-dev)
test_packages=("${build_packages[@]}" clang-14 libclang-rt-14-dev clang-format-14 python3-minimal python3
    python3-libtorrent iproute2 nftables miniupnpd-nftables chromium chromium-driver python3-selenium
    fonts-dejavu-core zbar-tools)

# The distribution's interpreter: another one in PATH may lack nothing, but is not what we test with.
python=/usr/bin/python3

note() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

missing_packages() {
    local installed
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
        sed -n 's/ installed$//p' | sort -u)
    comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$installed")
}

# require_packages NAME...: installs what is missing, after looking at what that would remove.
require_packages() {
    command -v dpkg-query >/dev/null || { note "no dpkg here: docs/dependencies.md says what is needed"; return; }
    local missing as_root=()
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return
    note "installing ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "not root and no sudo. As root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    refuse_removals "${missing[@]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends --no-remove "${missing[@]}" >&2 ||
        die "apt-get could not install: ${missing[*]}"
}

# Boost 1.81 and any unversioned libboost-*-dev (1.74) exclude each other, and apt would silently
# remove one for the other.
refuse_removals() {
    local plan removed
    if ! plan=$(apt-get install -s --no-install-recommends "$@" 2>&1); then
        note "refreshing the package lists"
        "${as_root[@]}" apt-get update -q >&2 || die "apt-get update failed; is there a network?"
        plan=$(apt-get install -s --no-install-recommends "$@" 2>&1) || die "apt cannot install: $plan"
    fi
    removed=$(printf '%s\n' "$plan" | sed -n 's/^Remv \([^ ]*\).*/\1/p' | tr '\n' ' ')
    [ -z "$removed" ] || die "installing $* would remove: $removed
libboost1.81-dev cannot share a machine with the unversioned Boost 1.74 packages (libboost-dev,
libboost-*-dev, libtorrent-rasterbar-dev, libopendht-dev). Nothing was changed. If you can spare them:
    apt-get install $*"
}

# require_foreign_clients: the DHT client of npm that ours is tested against, of the versions that its lock
# names. A node from elsewhere than the distribution brings an npm of its own and excludes the other.
require_foreign_clients() {
    local folder=tests/interop
    command -v node >/dev/null && command -v npm >/dev/null || require_packages nodejs npm
    [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] && return
    note "installing the clients of $folder"
    (cd "$folder" && npm ci >&2) || note "npm ci failed: the tests with bittorrent-dht will be skipped"
}
