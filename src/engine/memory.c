/*
 * memory.c
 *		The linear memories of this backend's guests.
 *
 * The engine limits each memory; the sum over a session's instances is limited
 * here, at the moment of growth: hence memories of our own.
 *
 * A memory is a reservation of address space, as large as compiled code expects
 * in order to leave out bounds checks, with a guard region on both sides.  What
 * the guest has of it is readable and writable; the rest faults.
 *
 * The functions that the engine calls must not throw.
 */
#include "postgres.h"

#include "engine/memory.h"

#include <sys/mman.h>

#include "guc.h"

typedef struct LinearMemory
{
	uint8_t    *start;			/* of the reservation */
	size_t		length;			/* of the reservation */
	uint8_t    *base;
	size_t		size;
	size_t		capacity;		/* what size may become */
	size_t	   *account;
} LinearMemory;

static size_t total = 0;
static size_t *current_account = NULL;
static bool refused = false;

void
pgw_memory_account(size_t *account)
{
	current_account = account;
}

size_t
pgw_memory_total(void)
{
	return total;
}

bool
pgw_memory_was_refused(void)
{
	bool		result = refused;

	refused = false;
	return result;
}

static wasmtime_error_t *
refuse(const char *why)
{
	refused = true;
	return wasmtime_error_new(why);
}

bool
pgw_memory_charge(int64 bytes)
{
	if (bytes > 0 && total + bytes > (size_t) pgw_session_memory_limit * 1024)
	{
		refused = true;
		return false;
	}
	total += bytes;
	return true;
}

static uint8_t *
get(void *env, size_t *size, size_t *capacity)
{
	const LinearMemory *memory = env;

	*size = memory->size;
	*capacity = memory->capacity;
	return memory->base;
}

static wasmtime_error_t *
grow(void *env, size_t size)
{
	LinearMemory *memory = env;
	size_t		more = size - memory->size;

	if (size > memory->capacity)
		return refuse("memory grows beyond its reservation");
	if (total + more > (size_t) pgw_session_memory_limit * 1024)
		return refuse("the instances of this session would have more memory than wasm.session_memory_limit");
	if (more > 0 && mprotect(memory->base + memory->size, more, PROT_READ | PROT_WRITE) != 0)
		return refuse("could not allocate memory for a guest");
	memory->size = size;
	total += more;
	if (memory->account != NULL)
		*memory->account += more;
	return NULL;
}

static void
destroy(void *env)
{
	LinearMemory *memory = env;

	total -= memory->size;
	if (memory->account != NULL)
		*memory->account -= memory->size;
	munmap(memory->start, memory->length);
	free(memory);
}

static wasmtime_error_t *
create(void *env, const wasm_memorytype_t *type, size_t minimum, size_t maximum,
	   size_t reserved, size_t guard, wasmtime_linear_memory_t *result)
{
	LinearMemory *memory = malloc(sizeof(LinearMemory));
	wasmtime_error_t *error;

	if (memory == NULL)
		return refuse("could not allocate memory for a guest");
	memory->capacity = Max(reserved, minimum);
	memory->length = guard + memory->capacity + guard;
	memory->size = 0;
	memory->account = current_account;
	memory->start = mmap(NULL, memory->length, PROT_NONE,
						 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory->start == MAP_FAILED)
	{
		free(memory);
		return refuse("could not allocate address space for a guest");
	}
	memory->base = memory->start + guard;
	error = grow(memory, minimum);
	if (error != NULL)
	{
		destroy(memory);
		return error;
	}
	result->env = memory;
	result->get_memory = get;
	result->grow_memory = grow;
	result->finalizer = destroy;
	return NULL;
}

void
pgw_memory_configure(wasm_config_t *config)
{
	wasmtime_memory_creator_t creator = {.new_memory = create};

	wasmtime_config_host_memory_creator_set(config, &creator);
}
