-- Environment variables, which a superuser grants a module.
CREATE SCHEMA environment;
SET search_path = environment, public;

-- what environ_get of preview 1 gives, each variable with its zero byte
CREATE FUNCTION core_guest() RETURNS wasm.module LANGUAGE wasm AS
'(module
	(import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
	(memory (export "memory") 1)
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
	(func (export "count") (result i32)
		(drop (call $sizes (i32.const 0) (i32.const 4)))
		(i32.load (i32.const 0)))
	;; from the address of the second variable on
	(func (export "second") (result i32)
		(drop (call $sizes (i32.const 0) (i32.const 4)))
		(drop (call $get (i32.const 64) (i32.const 1024)))
		(i32.store (i32.const 8) (i32.load (i32.const 68)))
		(i32.store (i32.const 12) (i32.sub (i32.add (i32.const 1024) (i32.load (i32.const 4))) (i32.load (i32.const 68))))
		(i32.const 8))
	(func (export "all") (result i32)
		(drop (call $sizes (i32.const 0) (i32.const 4)))
		(drop (call $get (i32.const 64) (i32.const 1024)))
		(i32.store (i32.const 8) (i32.const 1024))
		(i32.store (i32.const 12) (i32.load (i32.const 4)))
		(i32.const 8))
	(func (export "beyond") (result i32) (call $get (i32.const 65530) (i32.const 65530))))';
CREATE FUNCTION core_count() RETURNS integer LANGUAGE wasm AS 'core_guest#count';
CREATE FUNCTION core_all() RETURNS bytea LANGUAGE wasm AS 'core_guest#all';
CREATE FUNCTION core_second() RETURNS bytea LANGUAGE wasm AS 'core_guest#second';
CREATE FUNCTION core_beyond() RETURNS integer LANGUAGE wasm AS 'core_guest#beyond';
CREATE FUNCTION component_guest() RETURNS wasm.module LANGUAGE wasm AS
'(component
	(import "wasi:cli/environment@0.2.0" (instance $environment
		(export "get-environment" (func (result (list (tuple string string)))))))
	(core module $memory
		(memory (export "memory") 1)
		(global $heap (mut i32) (i32.const 1024))
		(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
			(global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 3)) (i32.const -4)))
			(global.get $heap)
			(global.set $heap (i32.add (global.get $heap) (local.get 3)))))
	(core instance $memory (instantiate $memory))
	(core func $get (canon lower (func $environment "get-environment")
		(memory (core memory $memory "memory")) (realloc (core func $memory "cabi_realloc"))))
	(core module $guest
		(import "" "get" (func $get (param i32)))
		(func (export "variables") (result i32) (call $get (i32.const 16)) (i32.const 16)))
	(core instance $guest (instantiate $guest (with "" (instance (export "get" (func $get))))))
	(func (export "variables") (result (list (tuple string string)))
		(canon lift (core func $guest "variables") (memory (core memory $memory "memory")))))';
CREATE FUNCTION variables() RETURNS TABLE (name text, value text) LANGUAGE wasm AS 'component_guest#variables';

-- case: none unless granted, whatever the server and the session have
SET wasm.environment = 'SESSION=1';
SELECT core_count(), core_all();
SELECT * FROM variables();
RESET wasm.environment;

-- case: those of the module
ALTER FUNCTION core_guest() SET wasm.environment = E'TZ=Europe/Berlin\nEMPTY=\nEQUALS=a=b';
ALTER FUNCTION component_guest() SET wasm.environment = E'TZ=Europe/Berlin\nEMPTY=\nEQUALS=a=b\n';
SELECT core_count(), encode(core_all(), 'escape') AS variables, encode(core_second(), 'escape') AS second;
SELECT * FROM variables();
SELECT core_beyond() AS fault;

-- case: a change counts at once, in an instance of its own
ALTER FUNCTION core_guest() SET wasm.environment = E'TZ=UTC';
ALTER FUNCTION component_guest() SET wasm.environment = E'TZ=UTC';
SELECT encode(core_all(), 'escape') AS variables;
SELECT * FROM variables();
ALTER FUNCTION core_guest() RESET wasm.environment;
ALTER FUNCTION component_guest() RESET wasm.environment;
SELECT core_count();
SELECT * FROM variables();

-- case: what is no environment
ALTER FUNCTION core_guest() SET wasm.environment = 'TZ';
ALTER FUNCTION core_guest() SET wasm.environment = '=UTC';
ALTER FUNCTION core_guest() SET wasm.environment = E'TZ=UTC\n\nLANG=C';
\echo :LAST_ERROR_SQLSTATE

-- case: nobody else grants them
CREATE ROLE environment_user;
GRANT USAGE ON SCHEMA environment TO environment_user;
ALTER FUNCTION core_guest() OWNER TO environment_user;
SET ROLE environment_user;
ALTER FUNCTION environment.core_guest() SET wasm.environment = 'TZ=UTC';
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA environment CASCADE;
DROP ROLE environment_user;
RESET client_min_messages;
