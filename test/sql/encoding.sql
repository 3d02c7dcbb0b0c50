-- A database in another encoding than UTF-8; guests always have UTF-8.
SELECT current_database() AS db \gset
CREATE DATABASE regress_wasm_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\connect regress_wasm_latin1
\encoding UTF8
CREATE EXTENSION wasm;

-- case: names of exports are converted
SELECT wasm.create_module('m', convert_to('(module
	(func (export "Größe") (result i32) (i32.const 1))
	(func (export "plain") (result i32) (i32.const 2)))', 'UTF8'));
SELECT name FROM wasm.exports('m');
CREATE FUNCTION groesse() RETURNS integer LANGUAGE wasm AS 'm#Größe';
SELECT groesse();
SELECT wasm.create_functions('m', prefix => 'm_') AS function;
SELECT "m_Größe"(), m_plain();

-- case: a text in the body is converted
CREATE FUNCTION m2() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "Änderung") (result i32) (i32.const 3)))';
SELECT m2() = convert_to('(module (func (export "Änderung") (result i32) (i32.const 3)))', 'UTF8') AS utf8;
CREATE FUNCTION aenderung() RETURNS integer LANGUAGE wasm AS 'm2#Änderung';
SELECT aenderung();

-- case: the id is that of the bytes in UTF-8
SELECT wasm.module_id(m2()) = wasm.module_id(convert_to('(module (func (export "Änderung") (result i32) (i32.const 3)))', 'UTF8')) AS same;
SELECT count(*) FROM wasm.instances WHERE id = wasm.module_id(m2())::text;

-- case: a name that the encoding does not have, in a binary
-- (module (func (export "日") (result i32) (i32.const 4)) (func (export "b") (result i32) (i32.const 5)))
SELECT wasm.create_module('m3', '\x0061736d010000000105016000017f0303020000070b0203e697a5000001620001' ||
	'\x0a0b02040041040b040041050b'::bytea);
SELECT name, kind FROM wasm.exports('m3');
SELECT wasm.create_functions('m3', prefix => 'm3_') AS function;
SELECT m3_b();

-- case: the same in a text
SELECT wasm.create_module('m4', '\x286d6f64756c65202866756e6320286578706f72742022e697a522292929');
\echo :LAST_ERROR_SQLSTATE

-- case: strings in a guest's memory are converted, bytes are not
CREATE FUNCTION guest() RETURNS wasm.module LANGUAGE wasm AS
'(module (memory (export "memory") 1) (data (i32.const 100) "\e2\82\ac")
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 200))
	(func (export "echo") (param i32 i32) (result i32)
		(i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0))
	(func (export "size") (param i32 i32) (result i32) (local.get 1))
	(func (export "euro") (result i32)
		(i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 3)) (i32.const 0)))';
CREATE FUNCTION echo(text) RETURNS text LANGUAGE wasm AS 'guest#echo';
CREATE FUNCTION echo(bytea) RETURNS bytea LANGUAGE wasm AS 'guest#echo';
CREATE FUNCTION size(text) RETURNS integer LANGUAGE wasm AS 'guest#size';
CREATE FUNCTION size(xml) RETURNS integer LANGUAGE wasm AS 'guest#size';
CREATE FUNCTION euro() RETURNS text LANGUAGE wasm AS 'guest#euro';
CREATE FUNCTION euro_bytes() RETURNS bytea LANGUAGE wasm AS 'guest#euro';
SELECT size('Größe'), octet_length(echo('Größe')), echo('Größe') = 'Größe' AS same, size('<ä/>'::xml), echo('\xe4'::bytea);
SELECT euro_bytes();
SELECT euro();
\echo :LAST_ERROR_SQLSTATE

-- case: a trap in a function with a name that is not ASCII
CREATE FUNCTION trap() RETURNS void LANGUAGE wasm AS '(module (func $"über" (export "f") unreachable))';
SELECT trap();

-- case: a syntax error in a text that is not ASCII
CREATE FUNCTION bad() RETURNS wasm.module LANGUAGE wasm AS '(module (func (export "ä") nonsense))';

\connect :db
DROP DATABASE regress_wasm_latin1;
