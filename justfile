# The recipes of wasmer-postgres, on top of make and tools/scratch.
#
#     just build install                  into the PostgreSQL of pg_config
#     just activate                       in database postgres of localhost
#     just host=/tmp database=app activate
#
# The recipes pg-* use a server of this checkout alone; see tools/scratch.

# Where `activate` connects: a host name, or the directory of a socket.
host := "localhost"
database := "postgres"
user := env("PGUSER", "postgres")

# List the recipes.
default:
    @just --list --unsorted

# Build the engine, once, and the extension.
build:
    make

# Install into the PostgreSQL that pg_config names.
install: build
    if [ -w "$(pg_config --pkglibdir)" ]; then make install; else sudo make install; fi

# Create the extension and call wasm_init, as wasmer-postgres wanted it.
activate:
    tools/activate "{{ host }}" "{{ database }}" "{{ user }}"

# Run every test.
test:
    make test

# Make the scratch cluster.
pg-init:
    tools/scratch init

# Start the scratch server, with the extension as it is built now.
pg-start:
    tools/scratch start

# Stop the scratch server.
pg-stop:
    tools/scratch stop

# Print the socket directory of the scratch server, for `just host=... activate`.
pg-socket:
    @tools/scratch socket

# Open psql on the scratch server.
pg-shell:
    tools/scratch up
    @tools/scratch psql

# Run a file of SQL on the scratch server.
[no-cd]
pg-run-one-file FILE:
    "{{ justfile_directory() }}/tools/scratch" up
    @"{{ justfile_directory() }}/tools/scratch" psql -X -a -v ON_ERROR_STOP=1 -f "{{ FILE }}"
