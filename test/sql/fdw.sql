-- The foreign tables of instances and exported functions.
CREATE SCHEMA fdw;
SET search_path = fdw, public;

SELECT wasm.create_module('m', '(module (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
	(func (export "nothing")) (func (export "pair") (param f32) (result i64 f64) (i64.const 1) (f64.const 2))
	(func (export "wide") (param v128) (result v128) (local.get 0)))') AS module;
SELECT wasm.create_functions('m', prefix => 'fdw_') AS function;
SELECT wasm.module_id(m()) AS id \gset

-- case: an instance that came from no file
SELECT wasm_file IS NULL AS no_file FROM wasm.instances WHERE id = :'id';

-- case: the exported functions
SELECT name, inputs, outputs FROM wasm.exported_functions WHERE instance_id = :'id' ORDER BY name;

-- case: the functions of users, with other types, composites and domains
CREATE TYPE pair AS (a bigint, b double precision);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE FUNCTION fdw_user_pair(real) RETURNS pair LANGUAGE wasm AS 'm#pair';
CREATE FUNCTION fdw_user_table(real) RETURNS TABLE (a bigint, b double precision) LANGUAGE wasm AS 'm#pair';
CREATE FUNCTION fdw_user_sum(smallint, oid) RETURNS positive LANGUAGE wasm AS 'm#sum';
CREATE FUNCTION fdw_user_uuid(uuid) RETURNS bytea LANGUAGE wasm AS 'm#wide';
CREATE PROCEDURE fdw_user_proc() LANGUAGE wasm AS 'm#nothing';
SELECT name, inputs, outputs FROM wasm.exported_functions WHERE name LIKE 'fdw_user%' ORDER BY name;

-- case: a module that is there twice is one instance
CREATE FUNCTION m_again() RETURNS wasm.module LANGUAGE wasm AS 'm';
SELECT wasm.create_module('m2', m()) AS module;
SELECT count(*) FROM wasm.instances WHERE id = :'id';
CREATE FUNCTION fdw_second() RETURNS void LANGUAGE wasm AS 'm2#nothing';
SELECT count(*), count(DISTINCT instance_id) FROM wasm.exported_functions WHERE name LIKE 'fdw_%';

-- case: joins
SELECT f.name FROM wasm.instances AS i JOIN wasm.exported_functions AS f ON f.instance_id = i.id
WHERE i.id = :'id' AND f.outputs = 'integer' ORDER BY f.name;
SELECT p.proname, p.pronargs FROM wasm.exported_functions AS f JOIN pg_proc AS p ON p.proname = f.name
WHERE f.inputs = 'real' AND f.name LIKE 'fdw%' ORDER BY p.proname;
SELECT count(*) FROM wasm.exported_functions AS a, wasm.exported_functions AS b
WHERE a.instance_id = b.instance_id AND a.instance_id = :'id' AND a.name LIKE 'fdw_%' AND b.name LIKE 'fdw_%';

-- case: a lateral subquery and a nested loop read it again
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT x, (SELECT count(*) FROM wasm.exported_functions WHERE name = 'fdw_sum' AND x > 1) FROM generate_series(1, 3) AS x;
SELECT count(*) FROM generate_series(1, 3) AS x LEFT JOIN wasm.exported_functions AS f ON f.name = 'fdw_sum' AND x > 1;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- case: a cursor, backwards too
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT name FROM wasm.exported_functions WHERE name IN ('fdw_sum', 'fdw_wide') ORDER BY name;
FETCH ALL FROM c;
FETCH BACKWARD 1 FROM c;
COMMIT;

-- case: EXPLAIN
EXPLAIN (COSTS OFF) SELECT * FROM wasm.instances;
EXPLAIN (COSTS OFF) SELECT * FROM wasm.exported_functions WHERE name = 'fdw_sum';
EXPLAIN (COSTS OFF, VERBOSE) SELECT name FROM wasm.exported_functions WHERE inputs IS NULL;

-- case: whole rows, no columns, and the table itself
SELECT f FROM wasm.exported_functions AS f WHERE name = 'fdw_nothing' AND f.instance_id <> :'id';
SELECT replace(f::text, :'id', 'ID') FROM wasm.exported_functions AS f WHERE name = 'fdw_sum';
SELECT count(*) > 0 AS some FROM wasm.instances;
SELECT tableoid::regclass FROM wasm.instances WHERE id = :'id';

-- case: rows of this transaction are seen, those of a rolled back one are not
BEGIN;
DROP FUNCTION fdw_sum;
SELECT count(*) FROM wasm.exported_functions WHERE name = 'fdw_sum';
ROLLBACK;
SELECT count(*) FROM wasm.exported_functions WHERE name = 'fdw_sum';

-- case: writing is refused
INSERT INTO wasm.instances VALUES ('a', 'b');
\echo :LAST_ERROR_SQLSTATE
UPDATE wasm.instances SET wasm_file = 'a';
DELETE FROM wasm.exported_functions;
TRUNCATE wasm.instances;
\echo :LAST_ERROR_SQLSTATE

-- case: IMPORT FOREIGN SCHEMA
CREATE SCHEMA fdw_import;
IMPORT FOREIGN SCHEMA anything FROM SERVER wasm_instances INTO fdw_import;
IMPORT FOREIGN SCHEMA anything FROM SERVER wasm_exported_functions INTO fdw_import;
SELECT attrelid::regclass AS relation, attname, atttypid::regtype FROM pg_attribute
WHERE attrelid IN ('fdw_import.instances'::regclass, 'fdw_import.exported_functions'::regclass) AND attnum > 0
ORDER BY attrelid::regclass::text, attnum;
SELECT count(*) FROM fdw_import.instances WHERE id = :'id';
SELECT name FROM fdw_import.exported_functions WHERE name = 'fdw_sum';

-- case: IMPORT FOREIGN SCHEMA with lists of tables
DROP FOREIGN TABLE fdw_import.instances, fdw_import.exported_functions;
IMPORT FOREIGN SCHEMA wasm LIMIT TO (instances) FROM SERVER wasm_instances INTO fdw_import;
IMPORT FOREIGN SCHEMA wasm EXCEPT (exported_functions) FROM SERVER wasm_exported_functions INTO fdw_import;
IMPORT FOREIGN SCHEMA wasm LIMIT TO (nothing) FROM SERVER wasm_exported_functions INTO fdw_import;
SELECT relname FROM pg_class WHERE relnamespace = 'fdw_import'::regnamespace ORDER BY relname;

-- case: a table of one's own, with columns in another order and fewer
CREATE FOREIGN TABLE mine (outputs text, name text) SERVER wasm_exported_functions;
SELECT * FROM mine WHERE name = 'fdw_sum';
ALTER FOREIGN TABLE mine DROP COLUMN outputs;
ALTER FOREIGN TABLE mine ADD COLUMN inputs text;
SELECT * FROM mine WHERE name = 'fdw_sum';

-- case: columns that there are none of, or of another type
CREATE FOREIGN TABLE wrong_name (nothing text) SERVER wasm_instances;
SELECT * FROM wrong_name;
\echo :LAST_ERROR_SQLSTATE
CREATE FOREIGN TABLE wrong_type (id uuid) SERVER wasm_instances;
SELECT * FROM wrong_type;
\echo :LAST_ERROR_SQLSTATE

-- case: options that there are none of
CREATE SERVER fdw_bad FOREIGN DATA WRAPPER wasm_instances OPTIONS (host 'a');
\echo :LAST_ERROR_SQLSTATE
CREATE FOREIGN TABLE bad (id text) SERVER wasm_instances OPTIONS (relation 'instances');
\echo :LAST_ERROR_SQLSTATE
CREATE FOREIGN TABLE bad (id text OPTIONS (column_name 'id')) SERVER wasm_instances;
CREATE USER MAPPING FOR PUBLIC SERVER wasm_instances OPTIONS (password 'a');
CREATE FOREIGN DATA WRAPPER fdw_bad HANDLER wasm.fdw_handler VALIDATOR wasm.fdw_validator OPTIONS (relation 'nothing');
\echo :LAST_ERROR_SQLSTATE
DROP FOREIGN TABLE fdw_import.instances;
IMPORT FOREIGN SCHEMA wasm FROM SERVER wasm_instances INTO fdw_import OPTIONS (nonsense 'a');
\echo :LAST_ERROR_SQLSTATE

-- case: a wrapper without its option
CREATE FOREIGN DATA WRAPPER fdw_without HANDLER wasm.fdw_handler VALIDATOR wasm.fdw_validator;
CREATE SERVER fdw_without FOREIGN DATA WRAPPER fdw_without;
CREATE FOREIGN TABLE without (id text) SERVER fdw_without;
SELECT * FROM without;
\echo :LAST_ERROR_SQLSTATE
DROP FOREIGN DATA WRAPPER fdw_without CASCADE;

-- case: the wrappers and servers of the extension
SELECT fdwname, fdwoptions FROM pg_foreign_data_wrapper WHERE fdwname LIKE 'wasm%' ORDER BY fdwname;
SELECT srvname FROM pg_foreign_server WHERE srvname LIKE 'wasm%' ORDER BY srvname;

SET client_min_messages = warning;
DROP SCHEMA fdw, fdw_import CASCADE;
RESET client_min_messages;
