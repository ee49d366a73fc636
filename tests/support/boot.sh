#!/bin/bash
# Boots the systemd of this machine as PID 1 of namespaces of its own, on a throw-away
# copy of the root file system: `unshare … boot.sh OVERLAY [FOLDER…]`. OVERLAY holds what
# is laid over the root, each FOLDER is seen as it is, wherever it lies. Ends when systemd
# powers off or the caller kills it.
set -euo pipefail

overlay=$1
shift
mount --make-rprivate /
work=$overlay-work
mkdir "$work"
mount -t tmpfs tmpfs "$work"
mkdir "$work"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
root=$work/root

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
cp -a /dev/{null,zero,full,random,urandom,tty} "$root/dev/"
mkdir "$root"/dev/{shm,pts,mqueue,hugepages}
ln -s /proc/self/fd "$root/dev/fd"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"

for folder; do
  mkdir -p "$root$folder"
  mount --bind "$folder" "$root$folder"
  mount -o remount,bind,ro "$root$folder"
done

if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd"
  mount -t cgroup -o none,name=systemd,xattr cgroup "$root/sys/fs/cgroup/systemd"
fi

# A place of its own among the control groups: another systemd that boots like this one
# has units of the same names.
own=$root/sys/fs/cgroup/systemd
[ -d "$own" ] || own=$root/sys/fs/cgroup
own=$(mktemp -d "$own/boot-XXXXXX")
echo 0 > "$own/cgroup.procs"

# Nothing of this machine starts in there but what the test brings.
rm -rf "$root"/etc/systemd/system "$root"/etc/nixcfg "$root"/var/lib/litellm-proxy
mkdir -p "$root/etc/systemd/system"
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-remount-fs.service \
  systemd-sysctl.service systemd-modules-load.service systemd-random-seed.service; do
  ln -s /dev/null "$root/etc/systemd/system/$unit"
done
cat > "$root/etc/systemd/system/default.target" <<UNIT
[Unit]
Requires=basic.target
After=basic.target
AllowIsolate=yes
UNIT
cp -a "$overlay/." "$root/"

# systemd hands out credentials through a mount that has to spread.
mount --make-rshared "$root"
cd "$root"
exec chroot "$root" /usr/bin/env -i container=test PATH=/usr/bin:/usr/sbin \
  /lib/systemd/systemd --log-target=journal --show-status=0
