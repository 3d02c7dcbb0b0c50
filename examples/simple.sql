-- The native example of the README:
--
--     just pg-run-one-file examples/simple.sql
--
CREATE EXTENSION IF NOT EXISTS wasm;

CREATE OR REPLACE FUNCTION twice(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS
    '(module (func (export "twice") (param i32) (result i32)
        (i32.shl (local.get 0) (i32.const 1))))';

SELECT twice(21);
