-- Inline modules and DO blocks.

-- case: a function with an inline module
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS
    '(module (func (export "twice") (param i32) (result i32)
        (i32.shl (local.get 0) (i32.const 1))))';
SELECT twice(21);

-- case: DO calls main
DO LANGUAGE wasm $$(module (func (export "main")))$$;
