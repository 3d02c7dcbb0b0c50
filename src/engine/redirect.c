/*
 * redirect.c
 *		Stops a guest at the instruction where a signal has interrupted it.
 *
 * A signal handler sees the program counter of what it interrupted, and may
 * change it.  Inside a function of a guest, the engine is in the same state as
 * at any instruction that may trap: so the program counter is set to a
 * trapping instruction of a small module of ours, and when the handler returns,
 * the engine unwinds the guest as for every other trap.
 *
 * That is so in the functions themselves, and in the stubs by which they call
 * the engine's built-ins: a trap is unwound by what the entry has recorded, and
 * traced by frame pointers, which are a chain at each of their instructions.
 * It is not so in the trampolines by which guests are entered, where that
 * record is not complete, nor in code with tail calls, where the frame moves
 * while arguments are placed.
 */
#include "postgres.h"

#include "engine/redirect.h"

#include "guc.h"

#ifdef PGW_CAN_REDIRECT

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine/error.h"
#include "utils/memutils.h"

#if defined(__x86_64__)
#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.gregs[REG_RIP])
/* ud2 */
static const unsigned char trap_instruction[] = {0x0f, 0x0b};
#else
#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.pc)
/* udf #0xc11f, which the code generator uses */
static const unsigned char trap_instruction[] = {0x1f, 0xc1, 0x00, 0x00};
#endif

/* (module (func unreachable)), compiled for mode 0 */
static const uint8_t trap_artifact[] = {
#include "build/trap-artifact.h"
};

/* A free entry has no end. */
typedef struct CodeRange
{
	const char *volatile start;
	const char *volatile end;
} CodeRange;

/* Signal handlers read this at any instruction: each store leaves it in order. */
typedef struct CodeRanges
{
	int			room;
	CodeRange	list[FLEXIBLE_ARRAY_MEMBER];
} CodeRanges;

static CodeRanges *volatile ranges = NULL;

static const char *trap_address = NULL;

static int
count_free(void)
{
	int			count = 0;

	for (int i = 0; ranges != NULL && i < ranges->room; i++)
		count += ranges->list[i].end == NULL;
	return count;
}

void
pgw_redirect_reserve(void)
{
	CodeRanges *old = ranges;
	CodeRanges *larger;
	int			room = old == NULL ? 16 : 2 * old->room;

	if (count_free() >= PGW_SPANS)
		return;
	larger = MemoryContextAllocZero(TopMemoryContext,
									offsetof(CodeRanges, list) + room * sizeof(CodeRange));
	larger->room = room;
	for (int i = 0; old != NULL && i < old->room; i++)
		larger->list[i] = old->list[i];
	ranges = larger;
	if (old != NULL)
		pfree(old);
}

void
pgw_redirect_learn(const char *image, const PgwLayout *layout)
{
	CodeRange  *range = ranges->list;

	Assert(count_free() >= PGW_SPANS);
	for (int i = 0; i < PGW_SPANS; i++)
	{
		const PgwSpan *span = &layout->spans[i];

		if (span->start == span->end)
			continue;
		while (range->end != NULL)
			range++;
		range->start = image + span->start;
		range->end = image + span->end;
	}
}

void
pgw_redirect_forget(const char *image, const char *image_end)
{
	for (int i = 0; ranges != NULL && i < ranges->room; i++)
	{
		if (ranges->list[i].start >= image && ranges->list[i].start < image_end)
			ranges->list[i].end = NULL;
	}
}

bool
pgw_redirect_in_guest(const void *context)
{
	const char *pc = (const char *) PROGRAM_COUNTER((const ucontext_t *) context);
	const CodeRanges *known = ranges;

	for (int i = 0; known != NULL && i < known->room; i++)
	{
		if (pc >= known->list[i].start && pc < known->list[i].end)
			return true;
	}
	return false;
}

static char *
page_of(const char *address)
{
	return (char *) ((uintptr_t) address & ~((uintptr_t) sysconf(_SC_PAGESIZE) - 1));
}

/* The pages of all code that is known.  Returns false when that failed. */
static bool
protect(int protection)
{
	const CodeRanges *known = ranges;
	bool		done = true;

	for (int i = 0; known != NULL && i < known->room; i++)
	{
		char	   *start = page_of(known->list[i].start);

		if (known->list[i].end != NULL && mprotect(start, known->list[i].end - start, protection) != 0)
			done = false;
	}
	return done;
}

static bool
in_pages(const char *address)
{
	const CodeRanges *known = ranges;

	for (int i = 0; known != NULL && i < known->room; i++)
	{
		if (known->list[i].end != NULL && address >= page_of(known->list[i].start) &&
			page_of(address) < known->list[i].end)
			return true;
	}
	return false;
}

void
pgw_redirect_hold(void)
{
	(void) protect(PROT_READ);
}

bool
pgw_redirect_held(const siginfo_t *info, const void *context)
{
	const char *pc = (const char *) PROGRAM_COUNTER((const ucontext_t *) context);

	return info->si_addr == pc && in_pages(pc) && protect(PROT_READ | PROT_EXEC);
}

static wasmtime_error_t *
load_trap(wasm_engine_t *engine, wasmtime_module_t **module)
{
	return wasmtime_module_deserialize(engine, trap_artifact, sizeof(trap_artifact), module);
}

/* The module lives as long as the backend. */
static const char *
find_trap(wasm_engine_t *engine)
{
	wasmtime_module_t *module;
	wasmtime_error_t *error = load_trap(engine, &module);
	PgwLayout	layout;
	void	   *start;
	void	   *end;

	if (error != NULL)
		pgw_error_throw_load(error);
	wasmtime_module_image_range(module, &start, &end);
	if (!pgw_layout_find(start, &layout))
		return NULL;
	return memmem((const char *) start + layout.spans[0].start, layout.spans[0].end - layout.spans[0].start,
				  trap_instruction, sizeof(trap_instruction));
}

void
pgw_redirect_try(wasm_engine_t *engine)
{
	wasmtime_module_t *module;
	wasmtime_error_t *error = load_trap(engine, &module);

	/* refused, where the engine is of another configuration */
	if (error != NULL)
		wasmtime_error_delete(error);
	else
		wasmtime_module_delete(module);
}

void
pgw_redirect_init(wasm_engine_t *engine)
{
	trap_address = find_trap(engine);
	if (trap_address == NULL)
		elog(ERROR, "could not find the trap to redirect guests to");
}

void
pgw_redirect(void *context)
{
	PROGRAM_COUNTER((ucontext_t *) context) = (uintptr_t) trap_address;
}

#else

void
pgw_redirect_try(wasm_engine_t *engine)
{
}

void
pgw_redirect_reserve(void)
{
}

void
pgw_redirect_learn(const char *image, const PgwLayout *layout)
{
}

void
pgw_redirect_forget(const char *image, const char *image_end)
{
}

bool
pgw_redirect_in_guest(const void *context)
{
	return false;
}

void
pgw_redirect_hold(void)
{
}

bool
pgw_redirect_held(const siginfo_t *info, const void *context)
{
	return false;
}

void
pgw_redirect_init(wasm_engine_t *engine)
{
}

void
pgw_redirect(void *context)
{
}

#endif							/* PGW_CAN_REDIRECT */
