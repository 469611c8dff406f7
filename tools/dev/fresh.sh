#!/bin/sh
# Runs a ./dev command on a fresh Debian 12: a debootstrap folder with a clone of this repository
# and nothing installed.
#
#   tools/dev/fresh.sh make                 makes the folder anew; needs root, debootstrap
#   tools/dev/fresh.sh sync                 replaces the clone inside with what is committed here
#   tools/dev/fresh.sh run test [...]       runs ./dev test [...] inside
#   tools/dev/fresh.sh sh 'SCRIPT'          runs a shell script inside, in the clone
#   tools/dev/fresh.sh all test [...]       make, sync, run
#
# TENDON_FRESH names the folder (default /var/tmp/tendon-fresh). The machine's own apt sources, CA
# certificates and client configuration for npm, pip and Maven are copied in, as a fresh machine
# of the same network has them too. Processes live in a PID and mount namespace of their own,
# so nothing survives the run.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
fresh=${TENDON_FRESH:-/var/tmp/tendon-fresh}
case $fresh in /var/tmp/?* | /tmp/?*) ;; *)
    echo "fresh.sh: TENDON_FRESH must lie under /var/tmp or /tmp, because it is removed" >&2
    exit 2
    ;;
esac

# The address of the machine's Debian source, in either of apt's notations.
mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list \
        2>/dev/null | sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' \
        -e 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) bookworm .*/\2/p' | head -n 1
}

make_folder() {
    if grep -q " $fresh/" /proc/mounts; then
        echo "fresh.sh: something is mounted in $fresh; not removing it" >&2
        exit 1
    fi
    rm -rf "$fresh"
    debootstrap --variant=minbase bookworm "$fresh" "$(mirror)"
    configure
}

# What the network's owner gives every machine: sources, names, certificates, registry settings.
configure() {
    rm -f "$fresh"/etc/apt/sources.list
    certificates=usr/local/share/ca-certificates
    mkdir -p "$fresh/etc/apt/sources.list.d" "$fresh/$certificates" "$fresh/root"
    for name in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/hosts \
        /etc/resolv.conf /etc/pip.conf /etc/npmrc /root/.npmrc; do
        if [ -f "$name" ]; then cp "$name" "$fresh$name"; fi
    done
    # A setting that points npm at headers of this machine's own Node would be wrong inside.
    if [ -f "$fresh/root/.npmrc" ]; then sed -i '/^nodedir=/d' "$fresh/root/.npmrc"; fi
    cp "/$certificates"/*.crt "$fresh/$certificates/" 2>/dev/null || true
    if [ -f /root/.m2/settings.xml ]; then
        mkdir -p "$fresh/root/.m2"
        cp /root/.m2/settings.xml "$fresh/root/.m2/"
    fi
}

sync_clone() {
    rm -rf "$fresh/root/tendon"
    git clone -q --no-hardlinks "$root" "$fresh/root/tendon"
}

run_inside() {
    exec unshare --mount --pid --fork --kill-child sh -eu -c '
        fresh=$1; shift
        mount -t proc proc "$fresh/proc"
        mount --rbind /dev "$fresh/dev"
        exec chroot "$fresh" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
            TENDON_BASE_PORT="${TENDON_BASE_PORT:-}" \
            TENDON_CLUSTER_PORT="${TENDON_CLUSTER_PORT:-}" \
            /bin/sh -c "cd /root/tendon && exec \"\$@\"" dev "$@"
    ' fresh "$fresh" "$@"
}

case ${1:-} in
make) make_folder ;;
sync) sync_clone ;;
run) shift; run_inside ./dev "$@" ;;
sh) shift; run_inside /bin/sh -euc "$1" ;;
all) shift; make_folder; sync_clone; run_inside ./dev "$@" ;;
*) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
