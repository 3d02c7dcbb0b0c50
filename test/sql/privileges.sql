-- Rights on the language, on modules and on paths; instances of different roles.
CREATE SCHEMA privileges;
CREATE SCHEMA privileges_modules;
SET search_path = privileges, public;
CREATE ROLE regress_wasm_author;
CREATE ROLE regress_wasm_user;
CREATE ROLE regress_wasm_group;
GRANT USAGE, CREATE ON SCHEMA privileges TO regress_wasm_author, regress_wasm_user;

-- case: what PUBLIC may execute
SELECT p.proname, has_function_privilege('public', p.oid, 'EXECUTE') AS public
FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
WHERE e.extname = 'wasm' ORDER BY p.proname;
SELECT lanname, lanpltrusted, has_language_privilege('public', oid, 'USAGE') AS public FROM pg_language WHERE lanname = 'wasm';
SELECT has_schema_privilege('public', 'wasm', 'USAGE') AS usage, has_schema_privilege('public', 'wasm', 'CREATE') AS create;

-- case: without rights on the language nothing can be created
SET ROLE regress_wasm_author;
CREATE FUNCTION m() RETURNS wasm.module LANGUAGE wasm AS '(module)';
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_module('m', '(module)');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.validate('(module)');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT wasm.create_module('privileges_modules.open', '(module (func (export "f") (result i32) (i32.const 1)))');
GRANT USAGE ON SCHEMA privileges_modules TO regress_wasm_author;
GRANT EXECUTE ON FUNCTION privileges_modules.open() TO regress_wasm_author;
SET ROLE regress_wasm_author;
SELECT wasm.create_functions('privileges_modules.open');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- case: with them, an ordinary role makes modules and functions
GRANT USAGE ON LANGUAGE wasm TO regress_wasm_author, regress_wasm_user;
SET ROLE regress_wasm_author;
SELECT wasm.create_module('counter', '(module (global $n (mut i32) (i32.const 0))
	(func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
	(func (export "trap") unreachable))');
CREATE FUNCTION next() RETURNS integer LANGUAGE wasm AS 'counter';
SELECT next();
SELECT wasm.create_functions('counter', prefix => 'counter_') AS function;
SELECT wasm.validate('(module)');
RESET ROLE;

-- case: nobody else may use a module of wasm.create_module
SELECT proacl FROM pg_proc WHERE oid = 'counter'::regproc;
SET ROLE regress_wasm_user;
CREATE FUNCTION next_of_user() RETURNS integer LANGUAGE wasm AS 'counter#next';
\echo :LAST_ERROR_SQLSTATE
SELECT wasm.create_functions('counter', prefix => 'user_');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM wasm.exports('counter');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM wasm.imports('counter');
\echo :LAST_ERROR_SQLSTATE
SELECT counter();
\echo :LAST_ERROR_SQLSTATE

-- case: but its functions, as any others; their owner needs the right on the module
SELECT next();
RESET ROLE;

-- case: EXECUTE on the module, granted
GRANT EXECUTE ON FUNCTION counter() TO regress_wasm_user;
SET ROLE regress_wasm_user;
CREATE FUNCTION next_of_user() RETURNS integer LANGUAGE wasm AS 'counter#next';
SELECT name, kind FROM wasm.exports('counter');
SELECT next_of_user() > 0 AS works;
RESET ROLE;

-- case: and revoked, in the session
REVOKE EXECUTE ON FUNCTION counter() FROM regress_wasm_user;
SET ROLE regress_wasm_user;
SELECT next_of_user();
\echo :LAST_ERROR_SQLSTATE
SELECT next() > 0 AS works;
RESET ROLE;
SELECT next_of_user();
\echo :LAST_ERROR_SQLSTATE
GRANT EXECUTE ON FUNCTION counter() TO regress_wasm_user;
SELECT next_of_user() > 0 AS works;
BEGIN;
REVOKE EXECUTE ON FUNCTION counter() FROM regress_wasm_user;
SELECT next_of_user();
ROLLBACK;
SELECT next_of_user() > 0 AS works;
REVOKE EXECUTE ON FUNCTION counter() FROM regress_wasm_user;

-- case: EXECUTE on the module by a membership, given and taken
GRANT EXECUTE ON FUNCTION counter() TO regress_wasm_group;
SELECT next_of_user();
GRANT regress_wasm_group TO regress_wasm_user;
SELECT next_of_user() > 0 AS works;
REVOKE regress_wasm_group FROM regress_wasm_user;
SELECT next_of_user();
\echo :LAST_ERROR_SQLSTATE
REVOKE EXECUTE ON FUNCTION counter() FROM regress_wasm_group;

-- case: USAGE on the schema of the module, to bind a function
SELECT wasm.create_module('privileges_modules.m', '(module (func (export "f") (result i32) (i32.const 1)))');
GRANT EXECUTE ON FUNCTION privileges_modules.m() TO regress_wasm_user;
SET ROLE regress_wasm_user;
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'privileges_modules.m#f';
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT USAGE ON SCHEMA privileges_modules TO regress_wasm_user;
SET ROLE regress_wasm_user;
CREATE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'privileges_modules.m#f';
SELECT f();
RESET ROLE;

-- case: it counts when a function is bound, as for views; not at its calls
REVOKE USAGE ON SCHEMA privileges_modules FROM regress_wasm_user;
SELECT f();
SET ROLE regress_wasm_user;
CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE wasm AS 'privileges_modules.m#f';
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM wasm.exports('privileges_modules.m');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- case: a function that is given to another owner
CREATE FUNCTION given() RETURNS integer LANGUAGE wasm AS 'counter#next';
SELECT given() > 0 AS works;
ALTER FUNCTION given() OWNER TO regress_wasm_user;
SELECT given();
\echo :LAST_ERROR_SQLSTATE
ALTER FUNCTION given() OWNER TO regress_wasm_author;
SELECT given() > 0 AS works;

-- case: check_function_bodies off: rights are tested at the call
SET ROLE regress_wasm_user;
SET check_function_bodies = off;
CREATE FUNCTION unchecked() RETURNS integer LANGUAGE wasm AS 'counter#next';
RESET check_function_bodies;
SELECT unchecked();
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION unchecked();
RESET ROLE;

-- case: EXECUTE on the function is tested as for any other
REVOKE EXECUTE ON FUNCTION next() FROM PUBLIC;
SET ROLE regress_wasm_user;
SELECT next();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT EXECUTE ON FUNCTION next() TO PUBLIC;

-- case: each role has instances of its own
SELECT counter_trap();
SET ROLE regress_wasm_author;
SELECT counter_trap();
SELECT next();
SELECT next();
SET ROLE regress_wasm_user;
SELECT counter_trap();
SELECT next();
SET ROLE regress_wasm_author;
SELECT next();
SET ROLE regress_wasm_user;
SELECT next();
RESET ROLE;
SELECT next();
SET ROLE regress_wasm_author;
SELECT next();
RESET ROLE;

-- case: the same in one statement that changes the role, and with a prepared one
PREPARE p AS SELECT next();
SET ROLE regress_wasm_author;
EXECUTE p;
SET ROLE regress_wasm_user;
EXECUTE p;
RESET ROLE;
EXECUTE p;
DEALLOCATE p;

-- case: a trap of one role leaves the instances of others
SET ROLE regress_wasm_user;
SELECT counter_trap();
SELECT next();
SET ROLE regress_wasm_author;
SELECT next();
RESET ROLE;

-- case: SECURITY DEFINER: the instance is that of the owner
CREATE FUNCTION definer() RETURNS integer LANGUAGE wasm SECURITY DEFINER AS 'counter#next';
ALTER FUNCTION definer() OWNER TO regress_wasm_author;
SET ROLE regress_wasm_user;
SELECT counter_trap();
SELECT next();
SELECT definer() > 1 AS of_author;
SELECT next();
RESET ROLE;

-- case: the same through a PL/pgSQL function
CREATE FUNCTION definer_plpgsql() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN privileges.next(); END';
ALTER FUNCTION definer_plpgsql() OWNER TO regress_wasm_author;
SET ROLE regress_wasm_user;
SELECT definer_plpgsql() > 2 AS of_author, next();
RESET ROLE;

-- case: the owner's own call and his SECURITY DEFINER function share an instance
SET ROLE regress_wasm_author;
SELECT counter_trap();
SELECT next(), definer(), definer_plpgsql(), next();
RESET ROLE;

-- case: a view reads with the rights of its owner, and calls with those of the caller
CREATE VIEW v AS SELECT next() AS n;
GRANT SELECT ON v TO regress_wasm_user;
SET ROLE regress_wasm_user;
SELECT counter_trap();
SELECT n FROM v;
SELECT next();
RESET ROLE;

-- case: files of the server are for pg_read_server_files
SELECT lo_from_bytea(0, '(module (func (export "one") (result i32) (i32.const 1)))') AS lo \gset
SELECT current_setting('data_directory') || '/wasm_regress_privileges.wat' AS file \gset
SELECT lo_export(:lo, :'file'), lo_unlink(:lo);
SET ROLE regress_wasm_author;
SELECT wasm_new_instance(:'file', 'privileged');
\echo :LAST_ERROR_SQLSTATE
SELECT wasm_new_instance('relative', 'privileged');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT pg_read_server_files TO regress_wasm_author;
SET ROLE regress_wasm_author;
SELECT wasm_new_instance(:'file', 'privileged');
SELECT privileged_one();
RESET ROLE;
SELECT proname, proowner::regrole, proacl FROM pg_proc WHERE proname LIKE 'privileged%' ORDER BY proname;

-- case: and whoever reads files needs the language and the schema too
GRANT pg_read_server_files TO regress_wasm_group;
SET ROLE regress_wasm_group;
SELECT wasm_new_instance(:'file', 'grouped');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT USAGE, CREATE ON SCHEMA privileges TO regress_wasm_group;
SET ROLE regress_wasm_group;
SELECT wasm_new_instance(:'file', 'grouped');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- case: only the owner loads a namespace again
GRANT pg_read_server_files TO regress_wasm_user;
SET ROLE regress_wasm_user;
SELECT wasm_new_instance(:'file', 'privileged');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- case: wasm_init tells nothing of other paths
REVOKE pg_read_server_files FROM regress_wasm_group;
SET ROLE regress_wasm_group;
SELECT wasm_init(:'file');
SELECT wasm_init('/nowhere');
RESET ROLE;

-- case: everybody sees the instances and functions, as they see pg_proc
SET ROLE regress_wasm_group;
SELECT count(*) > 0 AS some FROM wasm.instances;
SELECT name, inputs, outputs FROM wasm.exported_functions WHERE name LIKE 'privileged%';
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA privileges, privileges_modules CASCADE;
DROP OWNED BY regress_wasm_author, regress_wasm_user, regress_wasm_group;
DROP ROLE regress_wasm_author, regress_wasm_user, regress_wasm_group;
RESET client_min_messages;
