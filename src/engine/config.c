/*
 * config.c
 *		How the engine is configured.
 */
#include "engine/config.h"

#include "engine/component.h"

wasm_config_t *
pgw_config_new(PgwMode mode)
{
	wasm_config_t *config = wasm_config_new();

	wasmtime_config_epoch_interruption_set(config, mode & PGW_MODE_EPOCHS);
	wasmtime_config_consume_fuel_set(config, mode & PGW_MODE_METERED);
	wasmtime_config_max_wasm_stack_set(config, PGW_GUEST_STACK);
	wasmtime_config_signals_based_traps_set(config, true);
	wasmtime_config_macos_use_mach_ports_set(config, false);
	/* registering it costs each backend more than loading a small module */
	wasmtime_config_native_unwind_info_set(config, false);
	/*
	 * The memory of a component that brings an interpreter has megabytes of data,
	 * which are mapped from its artifact.  Of others an image would hold a file
	 * descriptor per module.
	 */
	wasmtime_config_memory_init_cow_set(config, mode & PGW_MODE_COMPONENT);

	wasmtime_config_wasm_multi_value_set(config, true);
	wasmtime_config_wasm_bulk_memory_set(config, true);
	wasmtime_config_wasm_reference_types_set(config, true);
	wasmtime_config_wasm_simd_set(config, true);
	wasmtime_config_wasm_tail_call_set(config, mode & PGW_MODE_EPOCHS);

	wasmtime_config_wasm_relaxed_simd_set(config, false);
	wasmtime_config_wasm_threads_set(config, false);
	wasmtime_config_shared_memory_set(config, false);
	/* what passes strings between components within one has the memories of both */
	wasmtime_config_wasm_multi_memory_set(config, mode & PGW_MODE_COMPONENT);
	wasmtime_config_wasm_memory64_set(config, false);
	wasmtime_config_wasm_exceptions_set(config, false);
	wasmtime_config_wasm_gc_set(config, false);
	wasmtime_config_wasm_function_references_set(config, false);
	wasmtime_config_wasm_wide_arithmetic_set(config, false);
	wasmtime_config_wasm_custom_page_sizes_set(config, false);
	wasmtime_config_wasm_stack_switching_set(config, false);
	wasmtime_config_wasm_branch_hinting_set(config, false);
	pgw_component_configure(config);
	return config;
}
