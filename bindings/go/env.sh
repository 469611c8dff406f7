# Sourced by build, run-tests and examples/go/run-demo, with $binding set to this folder: what Go
# needs to know about the core.
if ! command -v go >/dev/null 2>&1; then
    echo "go is not installed; ./dev test and ./dev demo install it" >&2
    exit 1
fi
if ! pkg-config --exists tendon; then
    echo 'pkg-config does not know tendon; eval "$(./dev env)" at the root of the repository' >&2
    exit 1
fi
# Go would stamp programs with the repository's version, and fail where git distrusts the folder.
export GOFLAGS="${GOFLAGS:+$GOFLAGS }-buildvcs=false"
[ -n "${HOME:-}" ] || export GOCACHE="${TENDON_OUT:-/tmp}/go-cache"
# Go's build cache sees neither headers outside of the module nor what pkg-config answers. A name
# that changes with both makes it build again when the ABI or the place of the library has changed.
tendon_headers=$(pkg-config --variable=includedir tendon)
[ -d "$tendon_headers/tendon" ] || tendon_headers=$binding/../../include
tendon_seen=$({ cat "$tendon_headers"/tendon/*.h; pkg-config --cflags --libs tendon; } | cksum)
export CGO_CFLAGS="-O2 -g -I$tendon_headers -DTENDON_SEEN=$(echo "$tendon_seen" | tr ' ' '_')"
