/*
 * helper.h
 *		What a backend and the program wasm-compile say to each other.
 *
 * The backend starts
 *
 *	wasm-compile BUILD PARENT ACTION MODE MEMORY SECONDS
 *
 * and writes the bytes of a module, binary or WAT in UTF-8, to its standard
 * input, up to the end of file.  The program answers with one PgwReply and its
 * payload on standard output.  BUILD must be the program's own PGW_BUILD;
 * PARENT is the backend's process id, MODE the PgwMode that is wanted as a
 * number, MEMORY the address space in kB, SECONDS the processor time of one
 * thread.
 *
 * Knows nothing of PostgreSQL, so that the program can share it.
 */
#ifndef PGW_HELPER_H
#define PGW_HELPER_H

#include <stdint.h>

#include "engine/layout.h"

#define PGW_HELPER "wasm-compile"

/* ACTION */
#define PGW_ACTION_COMPILE "compile"
#define PGW_ACTION_VALIDATE "validate"

/*
 * Beyond these a module is not compiled: entries of each section of a module
 * (functions, types, globals, ...), and bytes of one function's code.
 */
#define PGW_ENTRIES_MAX 50000
#define PGW_FUNCTION_SIZE_MAX (1024 * 1024)

/* Numbers of sections */
#define PGW_SECTION_CUSTOM 0
#define PGW_SECTION_MODULE 1	/* of a component, as ... */
#define PGW_SECTION_COMPONENT 4 /* ... this */
#define PGW_SECTION_START 8
#define PGW_SECTION_CODE 10

#define PGW_REPLY_MAGIC UINT32_C(0x50475734)	/* "PGW4" */

typedef enum PgwReplyKind
{
	PGW_REPLY_ARTIFACT,			/* the compiled module; empty for "validate" */
	PGW_REPLY_WAT_ERROR,		/* what the parser says of the text */
	PGW_REPLY_INVALID,			/* what the engine says of the module */
	PGW_REPLY_ENTRIES,			/* a section has too many; payload: two uint64,
								 * the section's number and how many */
	PGW_REPLY_FUNCTION_SIZE,	/* one is too large; payload: two uint64, its
								 * index among the defined ones and its size */
	PGW_REPLY_BUILD				/* BUILD is another one; payload: the program's */
} PgwReplyKind;

typedef struct PgwReply
{
	uint32_t	magic;
	uint32_t	kind;			/* a PgwReplyKind */
	uint64_t	length;			/* of the payload */
	PgwLayout	layout;			/* of an artifact */
} PgwReply;

#endif							/* PGW_HELPER_H */
