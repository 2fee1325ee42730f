#!/bin/bash
# Recording works where there are few rights, in namespaces, and on other file systems.
#
#     test_environments.sh BUILD_DIRECTORY/bin BUILD_DIRECTORY/tests
set -eu

record=$(realpath "$1")/faultfs-record
programs=$(realpath "$2")
scratch=$(mktemp -d)
mounted=()

clean_up() {
    local place
    for place in "${mounted[@]}"; do umount "$place"; done
    rm -rf "$scratch"
}
trap clean_up EXIT
failures=0

fail() {
    echo "FAILED: $1" >&2
    sed 's/^/    /' "$scratch/err" >&2
    failures=$((failures + 1))
}

# works WHERE DIRECTORY LAUNCHED_BY...: a shell's, a static program's and a storm's
# calls are recorded exactly in a new directory below DIRECTORY.
works() {
    local where=$1 root=$2/root got=0
    shift 2
    rm -rf "$root"
    mkdir "$root"
    chmod 777 "$root"
    "$@" "$record" --root "$root" --output "$scratch/out/trace" --timeout 60s -- \
        sh -c "echo text >f; mv f g; mkdir d; '$programs/bypass_static' plain;
            '$programs/storm' threads 4" >/dev/null 2>"$scratch/err" || got=$?
    [ "$got" = 0 ] || { fail "$where: exit status $got"; return 0; }
    "$programs/show_trace" -r "$scratch/out/trace" >"$scratch/routes"
    grep -q '^symbol [1-9]' "$scratch/routes" || fail "$where: no calls by symbol"
    [ "$(uname -m)" != x86_64 ] || grep -q '^net [1-9]' "$scratch/routes" ||
        fail "$where: no calls by the net"
    echo "$where: $(tr '\n' ' ' <"$scratch/routes")"
    rm -rf "$scratch/out/trace" "$root"
}

skip() {
    echo "skipped: $1"
}

chmod 755 "$scratch"
mkdir -m 777 "$scratch/out" "$scratch/here"
works 'as it is' "$scratch/here"

unprivileged=()
if [ "$(id -u)" = 0 ]; then
    if command -v setpriv >/dev/null && setpriv --reuid 65534 true 2>/dev/null; then
        unprivileged=(setpriv --reuid 65534 --regid 65534 --clear-groups)
        works 'as an unprivileged user' "$scratch/here" "${unprivileged[@]}"
    else
        skip 'an unprivileged user: there is no setpriv'
    fi
fi

for namespaces in -Ur -Urm '-Urpf --mount-proc'; do
    read -ra words <<<"$namespaces"
    if timeout 10 "${unprivileged[@]}" unshare "${words[@]}" true 2>/dev/null; then
        works "in unshare $namespaces" "$scratch/here" timeout 60 "${unprivileged[@]}" unshare \
            "${words[@]}"
    else
        skip "unshare $namespaces is not allowed here"
    fi
done

# Without the /proc of its own processes the launcher cannot work, and says so.
if unshare -Urpf true 2>/dev/null; then
    ! unshare -Urpf timeout 10 "$record" --root "$scratch/here" --output "$scratch/out/trace" -- \
        true 2>"$scratch/err" || fail 'recorded with the /proc of other processes'
    grep -q -- '--mount-proc' "$scratch/err" || fail 'not said'
fi

# The launcher outside, the workload inside.
if unshare -Ur true 2>/dev/null; then
    rm -rf "$scratch/here/root"
    mkdir "$scratch/here/root"
    if timeout 60 "$record" --root "$scratch/here/root" --output "$scratch/out/trace" -- \
        unshare -Urpf --mount-proc sh -c 'echo text >f; mv f g; chown 0 g; ls -l g >h' \
        2>"$scratch/err"; then
        echo 'a workload that enters namespaces: recorded'
    else
        fail 'a workload that enters namespaces'
    fi
fi

# on NAME MOUNT_OPTIONS...: a file system that is mounted for this.
on() {
    local name=$1
    shift
    mkdir "$scratch/$name"
    if [ "$(id -u)" = 0 ] && mount "$@" "$scratch/$name" 2>/dev/null; then
        mounted+=("$scratch/$name")
        works "on $name" "$scratch/$name"
    else
        skip "$name cannot be mounted here"
    fi
}

on tmpfs -t tmpfs none
# image KIND SIZE OPTIONS...: in a file, made with these options of mkfs.
image() {
    local kind=$1 image=$scratch/$1.image
    truncate -s "$2" "$image"
    shift 2
    if command -v "mkfs.$kind" >/dev/null && "mkfs.$kind" -q "$@" "$image" 2>/dev/null; then
        on "$kind" -o loop "$image"
    else
        skip "$kind: there is no mkfs.$kind"
    fi
}

# Only some file systems have clones (ioctl_ficlone(2)).
clones() {
    local root=$scratch/$1/clones
    mountpoint -q "$scratch/$1" 2>/dev/null || return 0
    mkdir "$root"
    if (cd "$root" && "$record" --root "$root" --output "$scratch/out/trace" -- \
        "$programs/interfaces" clone) 2>"$scratch/err" &&
        "$programs/show_trace" "$scratch/out/trace" | grep -q '^[^ ]*ioctl\|ioctl'; then
        echo "clones on $1: recorded"
    else
        fail "clones on $1"
    fi
}

image ext4 64M -F
image btrfs 128M
clones btrfs
image xfs 512M
clones xfs
mkdir "$scratch/layers"
if [ "$(id -u)" = 0 ] && mount -t tmpfs none "$scratch/layers" 2>/dev/null; then
    mounted=("$scratch/layers" "${mounted[@]}")
    mkdir "$scratch/layers/lower" "$scratch/layers/upper" "$scratch/layers/work"
    on overlayfs -t overlay \
        -o "lowerdir=$scratch/layers/lower,upperdir=$scratch/layers/upper,workdir=$scratch/layers/work" \
        none
    # The one below the other goes last.
    mounted=("${mounted[@]:1}" "${mounted[0]}")
else
    skip 'overlayfs cannot be mounted here'
fi

[ "$failures" = 0 ]
