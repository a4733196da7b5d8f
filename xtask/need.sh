#!/usr/bin/env bash
# Makes sure that programs are there: installs what is missing on Debian and Ubuntu, says what to install elsewhere.
#   need.sh PROGRAM[:PACKAGE]…     PROGRAM is a name on the PATH or a file; what is already there is never replaced
set -euo pipefail
missing=() packages=()
for need in "$@"; do
  program=${need%%:*} package=${need#*:}
  # Compilers and servers lie outside the PATH on Debian.
  PATH=$PATH:/usr/sbin:/sbin:/usr/lib/postgresql/15/bin:/usr/lib/cni command -v "$program" >/dev/null 2>&1 || [ -e "$program" ] ||
    { missing+=("$program"); packages+=("$package"); }
done
[ ${#missing[@]} -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null; then
  echo "missing: ${missing[*]}. Install them with your system's package manager (Debian calls the packages: ${packages[*]})." >&2
  exit 3
fi
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
[ -z "$sudo" ] || command -v sudo >/dev/null || { echo "missing: ${missing[*]}. As root: apt-get install ${packages[*]}" >&2; exit 3; }
echo "installing ${packages[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null 2>&1 ||
  { $sudo apt-get update >/dev/null && $sudo apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null; }
