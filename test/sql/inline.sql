-- Inline modules and DO blocks.
CREATE SCHEMA inline;
SET search_path = inline, public;

-- case: a function with an inline module
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE wasm IMMUTABLE STRICT AS
    '(module (func (export "twice") (param i32) (result i32)
        (i32.shl (local.get 0) (i32.const 1))))';
SELECT twice(21);

-- case: DO calls main
DO LANGUAGE wasm $$(module (func (export "main")))$$;

-- case: main, when there are others; the others would trap
DO LANGUAGE wasm $$(module (func (export "a") unreachable) (func (export "main")) (func (export "_start") unreachable))$$;
DO LANGUAGE wasm $$(module (func (export "main") unreachable) (func (export "_start")))$$;
\echo :LAST_ERROR_SQLSTATE

-- case: _start, when there is no main
DO LANGUAGE wasm $$(module (func (export "a") unreachable) (func (export "_start")))$$;
DO LANGUAGE wasm $$(module (func (export "a")) (func (export "_start") unreachable))$$;
\echo :LAST_ERROR_SQLSTATE

-- case: the only export without parameters
DO LANGUAGE wasm $$(module (func (export "with") (param i32) unreachable) (func (export "without")) (memory (export "memory") 1))$$;
DO LANGUAGE wasm $$(module (func (export "with") (param i32)) (func (export "without") unreachable))$$;

-- case: main with parameters is not called
DO LANGUAGE wasm $$(module (func (export "main") (param i32 i32) (result i32) unreachable) (func (export "_start")))$$;

-- case: results are thrown away
DO LANGUAGE wasm $$(module (func (export "main") (result i32 i64 f64 v128 externref)
	(i32.const 1) (i64.const 2) (f64.const 3) (v128.const i32x4 1 2 3 4) (ref.null extern)))$$;

-- case: nothing to call
DO LANGUAGE wasm $$(module)$$;
\echo :LAST_ERROR_SQLSTATE
DO LANGUAGE wasm $$(module (func (export "a")) (func (export "b")))$$;
DO LANGUAGE wasm $$(module (func (export "a") (param i32)))$$;
DO LANGUAGE wasm $$(module (memory (export "main") 1))$$;

-- case: a block in binary form
-- (module (func (export "one") (result i32) (i32.const 1)))
DO LANGUAGE wasm '\x0061736d010000000105016000017f03020100070701036f6e6500000a0601040041010b';

-- case: comments before the module
DO LANGUAGE wasm $$
;; does nothing
(module (func (export "main")))
$$;

-- case: the start function runs too
DO LANGUAGE wasm $$(module (func $s unreachable) (start $s) (func (export "main")))$$;

-- case: each block has an instance of its own
DO LANGUAGE wasm $$(module (global $g (mut i32) (i32.const 0)) (func (export "main")
	(if (global.get $g) (then unreachable)) (global.set $g (i32.const 1))))$$;
DO LANGUAGE wasm $$(module (global $g (mut i32) (i32.const 0)) (func (export "main")
	(if (global.get $g) (then unreachable)) (global.set $g (i32.const 1))))$$;

-- case: a trap, and the session goes on
DO LANGUAGE wasm $$(module (func $inner unreachable) (func (export "main") call $inner))$$;
\echo :LAST_ERROR_SQLSTATE
DO LANGUAGE wasm $$(module (func (export "main") (result i32) (i32.div_s (i32.const 1) (i32.const 0))))$$;
\echo :LAST_ERROR_SQLSTATE
DO LANGUAGE wasm $$(module (func (export "main")))$$;

-- case: a trap inside PL/pgSQL can be caught
DO $do$
BEGIN
	EXECUTE 'DO LANGUAGE wasm $$(module (func (export "main") unreachable))$$';
EXCEPTION WHEN external_routine_exception THEN
	RAISE NOTICE 'caught: %', SQLERRM;
END
$do$;

-- case: no module
DO LANGUAGE wasm 'mathlib#sum';
\echo :LAST_ERROR_SQLSTATE
DO LANGUAGE wasm '';
\echo :LAST_ERROR_SQLSTATE
DO LANGUAGE wasm '(module (func (export "main") nonsense))';
\echo :LAST_ERROR_SQLSTATE
DO LANGUAGE wasm '\x0061';
\echo :LAST_ERROR_SQLSTATE

-- case: imports are refused
DO LANGUAGE wasm $$(module (import "env" "log" (func)) (func (export "main")))$$;
\echo :LAST_ERROR_SQLSTATE

-- case: a role without rights on the language
CREATE ROLE regress_wasm_inline;
SET ROLE regress_wasm_inline;
DO LANGUAGE wasm $$(module (func (export "main")))$$;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT USAGE ON LANGUAGE wasm TO regress_wasm_inline;
SET ROLE regress_wasm_inline;
DO LANGUAGE wasm $$(module (func (export "main")))$$;
RESET ROLE;
REVOKE USAGE ON LANGUAGE wasm FROM regress_wasm_inline;
DROP ROLE regress_wasm_inline;

DROP SCHEMA inline CASCADE;
