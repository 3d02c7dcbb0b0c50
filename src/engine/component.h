/*
 * component.h
 *		Components: what engine/src/component.rs adds to the engine's C API.
 *
 * Nothing here throws, and callbacks must not throw either.
 */
#ifndef PGW_COMPONENT_H
#define PGW_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wasmtime.h>

/* A compiled component */
typedef struct PgwComponent PgwComponent;

/* Values that can be copied, and are as valid as their store */
typedef struct PgwHandle
{
	uint64_t	opaque[4];
} PgwHandle;

/* While the arguments of a call are written, and while its result is read */
typedef struct PgwLowering PgwLowering;
typedef struct PgwLifting PgwLifting;

/* The flat values that a function takes at most; else they are in memory */
#define PGW_FLAT_MAX 16

/* The code of the trap that an error is; false when it is another one. */
extern bool pgw_error_trap_code(const wasmtime_error_t *error, uint8_t *code);

/* For every engine */
extern void pgw_component_configure(wasm_config_t *config);

/* In libraries with the compiler only */
extern wasmtime_error_t *pgw_component_compile(const wasm_engine_t *engine, const uint8_t *bytes, size_t length,
											   wasm_byte_vec_t *artifact);

extern wasmtime_error_t *pgw_component_validate(const wasm_engine_t *engine, const uint8_t *bytes, size_t length);

/* Of what pgw_component_compile() has made; the result is to be deleted. */
extern wasmtime_error_t *pgw_component_deserialize(const wasm_engine_t *engine, const uint8_t *bytes,
												   size_t length, PgwComponent **component);
extern wasmtime_error_t *pgw_component_deserialize_file(const wasm_engine_t *engine, const char *path,
														PgwComponent **component);
extern void pgw_component_delete(PgwComponent *component);

/* Imports and exports, for wit.h; to be deleted.  False: they are too many, or too large. */
extern bool pgw_component_describe(const PgwComponent *component, wasm_byte_vec_t *description);

/* Text of guests' output and of the environment */
typedef struct PgwText
{
	const char *bytes;
	size_t		length;
} PgwText;

/* What a component does with a file; Operation and Request in engine/src/host.rs say more. */
typedef enum PgwFileOperation
{
	PGW_FILE_GRANT,
	PGW_FILE_CLOSE,
	PGW_FILE_OPEN,
	PGW_FILE_STREAM,
	PGW_FILE_STREAM_TO_END,
	PGW_FILE_STREAM_ENTRIES,
	PGW_FILE_READ,
	PGW_FILE_WRITE,
	PGW_FILE_FLAGS,
	PGW_FILE_SET_SIZE,
	PGW_FILE_SYNC,
	PGW_FILE_SYNC_DATA,
	PGW_FILE_STATUS,
	PGW_FILE_SET_TIMES,
	PGW_FILE_NEXT_ENTRY,
	PGW_FILE_MAKE_DIRECTORY,
	PGW_FILE_REMOVE_DIRECTORY,
	PGW_FILE_REMOVE_FILE,
	PGW_FILE_RENAME,
	PGW_FILE_READ_LINK,
	PGW_FILE_LINK
} PgwFileOperation;

typedef struct PgwFileTime
{
	bool		is_set;
	bool		is_now;
	uint32_t	nanoseconds;
	uint64_t	seconds;
} PgwFileTime;

typedef struct PgwFileStatus
{
	uint32_t	kind;			/* of descriptor-type in WIT */
	uint64_t	device;
	uint64_t	inode;
	uint64_t	links;
	uint64_t	size;
	PgwFileTime times[3];
} PgwFileStatus;

/* In the flags of a request */
#define PGW_FILE_FLAG_CREATE 1
#define PGW_FILE_FLAG_DIRECTORY 2
#define PGW_FILE_FLAG_EXCLUSIVE 4
#define PGW_FILE_FLAG_TRUNCATE 8
#define PGW_FILE_FLAG_FOLLOW 16
#define PGW_FILE_FLAG_READ 32
#define PGW_FILE_FLAG_WRITE 64
#define PGW_FILE_FLAG_FILE_SYNC 128
#define PGW_FILE_FLAG_DATA_SYNC 256
#define PGW_FILE_FLAG_MUTATE 512

typedef struct PgwFileRequest
{
	uint32_t	number;
	uint32_t	other;
	PgwText		path;			/* bytes are NULL: none */
	PgwText		other_path;
	uint32_t	flags;
	uint64_t	offset;			/* UINT64_MAX: where the stream is */
	uint8_t    *bytes;
	size_t		length;
	PgwFileTime times[2];
	uint32_t	error;			/* 0, or one more than the number of error-code in WIT */
	size_t		count;
	PgwFileStatus status;
} PgwFileRequest;

/* What WASI asks of the host; false: the call is to end now, an error is kept. */
typedef struct PgwWasiHost
{
	bool		(*write) (uint32_t stream, const uint8_t *bytes, size_t length);
	bool		(*sleep) (uint64_t nanoseconds);
	void		(*exit) (uint32_t code);
	bool		(*random) (uint8_t *bytes, size_t length);
	bool		(*environment) (size_t index, PgwText *name, PgwText *value);
	bool		(*file) (PgwFileOperation operation, PgwFileRequest *request);
} PgwWasiHost;

/* What components may import */
typedef struct PgwComponentHost
{
	/* the function that an import denotes, or NULL */
	const void *(*find) (const char *from, size_t from_length, const char *name, size_t length);
	/* calls it, with flat values, for the first of which it may put a result */
	bool		(*run) (const void *function, PgwLowering *lowering, wasmtime_val_raw_t *slots, size_t nslots);
	/* a guest drops a resource of the host: its function "[resource-drop]name" */
	bool		(*drop) (const void *function, wasmtime_context_t *context, uint32_t resource);
	PgwWasiHost wasi;
} PgwComponentHost;

/*
 * Provides for the imports of a component, once; host must last for ever.  An error
 * says what nobody provides.
 */
extern wasmtime_error_t *pgw_component_link(PgwComponent *component, const PgwComponentHost *host);

/* May a guest's memory grow? */
typedef enum PgwGrowth
{
	PGW_GROWTH_ALLOWED,
	PGW_GROWTH_BEYOND_INSTANCE, /* of what the instance may have */
	PGW_GROWTH_BEYOND_SESSION	/* of what all instances may have */
} PgwGrowth;

/*
 * Limits what is made in a store: so many core instances, tables and memories, and
 * so many elements of a table.  grow is asked before a memory grows, by so many
 * bytes.
 */
extern void pgw_component_limit(wasmtime_store_t *store, size_t instances, size_t table_elements,
								PgwGrowth (*grow) (void *data, size_t bytes), void *data);

extern wasmtime_error_t *pgw_component_instantiate(wasmtime_context_t *context, const PgwComponent *component,
												   PgwHandle *instance);

/* Finds an exported function, of the exported instance from unless that is empty. */
extern bool pgw_component_function(wasmtime_context_t *context, const PgwHandle *instance,
								   const char *from, size_t from_length, const char *name, size_t length,
								   PgwHandle *function);

/*
 * Calls a function.  slots has room for PGW_FLAT_MAX values: the flat arguments,
 * unless lower writes them, and afterwards the flat result, or what lift has read.
 */
typedef wasmtime_error_t *(*PgwLower) (void *data, PgwLowering *lowering, wasmtime_val_raw_t *slots);
typedef wasmtime_error_t *(*PgwLift) (void *data, PgwLifting *lifting, const wasmtime_val_raw_t *slot);
extern wasmtime_error_t *pgw_component_call(wasmtime_context_t *context, const PgwHandle *function,
											wasmtime_val_raw_t *slots, PgwLower lower, PgwLift lift, void *data);

/* The guest's memory, which stays in its place until the guest runs */
typedef struct PgwGuestMemory
{
	uint8_t    *bytes;
	size_t		size;
	bool		is_utf8;		/* strings in it */
} PgwGuestMemory;

extern void pgw_lower_memory(PgwLowering *lowering, PgwGuestMemory *memory);
extern void pgw_lift_memory(PgwLifting *lifting, PgwGuestMemory *memory);

/* Lets the guest allocate memory, if it can; the address is in bounds and aligned. */
extern wasmtime_error_t *pgw_lower_alloc(PgwLowering *lowering, uint32_t alignment, size_t size,
										 uint32_t *address);

/* Copy a string between UTF-8 and the guest's encoding; address and length there. */
extern wasmtime_error_t *pgw_lower_string(PgwLowering *lowering, const char *text, size_t length,
										  uint32_t pair[2]);
extern wasmtime_error_t *pgw_lift_string(PgwLifting *lifting, uint32_t address, uint32_t length,
										 wasm_byte_vec_t *text);

/* The store in which a function of the host was called */
extern wasmtime_context_t *pgw_lower_store(PgwLowering *lowering);

#endif							/* PGW_COMPONENT_H */
