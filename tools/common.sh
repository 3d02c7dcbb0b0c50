# Shared by the scripts in tools/: where things are, and who runs the server.
# To be sourced by bash.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pg_config=${PG_CONFIG:-pg_config}

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# The scratch folder of this checkout: a private copy of the server with the
# extension in it, a cluster and its socket.  Its path is short however deep
# the checkout is, and open to the unprivileged user.
scratch=${WASM_SCRATCH_DIR:-${TMPDIR:-/tmp}/wasm-$(id -u)-$(printf '%s' "$top" | cksum | cut -d' ' -f1)}
private=$scratch/root
data=$scratch/data
socket=$scratch/s

# PostgreSQL refuses to run as root.
server_user() {
	if [ "$(id -u)" -ne 0 ]; then id -un
	elif id postgres >/dev/null 2>&1; then echo postgres
	else echo nobody
	fi
}

# Runs a command as the user that may run a server, in the scratch folder.
as_server_user() {
	if [ "$(id -u)" -ne 0 ]; then (cd "$scratch" && "$@")
	else (cd "$scratch" && exec runuser -u "$(server_user)" -- "$@")
	fi
}

# Programs of the private copy of the server.
private_bin=$private$("$pg_config" --bindir 2>/dev/null || true)

# Prints the folder of the cache with the tools for a language of guests, which the
# command `install`, given an empty folder to be in, puts there once for each content
# of the files that pin them:
#
#     guest_tools LANGUAGE install FILE ...
guest_tools() {
	local cache dir install=$2
	cache=${WASM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/postgres-wasm}
	dir=$cache/guests-$1-$(cat "${@:3}" | sha256sum | cut -c1-16)
	mkdir -p "$cache"
	if [ ! -d "$dir" ]; then
		say "Installing the tools for guests in $1 into $dir"
		(
			flock 9
			[ ! -d "$dir" ] || exit 0
			rm -rf "$dir.new"
			mkdir "$dir.new"
			cd "$dir.new" && "$install" >&2 && mv -T "$dir.new" "$dir"
		) 9>"$cache/lock-guests" || die "the tools for guests in $1 cannot be installed"
	fi
	echo "$dir"
}

# Makes a folder of an interface file and of the package postgres:host, which it may import.
# It is named by the variable `wit`, and goes away with the script.
interface_folder() {
	wit=$(mktemp -d)
	trap 'rm -rf "$wit"' EXIT
	mkdir "$wit/deps"
	cp "$1" "$wit/"
	cp "$top/wit/host.wit" "$wit/deps/"
}
