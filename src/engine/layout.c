/*
 * layout.c
 *		Where the functions of a guest are in a compiled module.
 *
 * An artifact is an ELF file.  Its symbols name what the engine has compiled:
 * "wasm[0]::function[7]..." are the guest's functions; trampolines and the
 * engine's own helpers have other names.
 */
#include "engine/layout.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

static const Elf64_Shdr *
sections_of(const char *elf)
{
	return (const Elf64_Shdr *) (elf + ((const Elf64_Ehdr *) elf)->e_shoff);
}

static const Elf64_Shdr *
find_section(const char *elf, const char *name)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *) elf;
	const Elf64_Shdr *sections = sections_of(elf);
	const char *names = elf + sections[header->e_shstrndx].sh_offset;

	for (int i = 0; i < header->e_shnum; i++)
	{
		if (strcmp(names + sections[i].sh_name, name) == 0)
			return &sections[i];
	}
	return NULL;
}

static bool
is_body(const char *name)
{
	return strncmp(name, "wasm[", 5) == 0 && strstr(name, "]::function[") != NULL;
}

/* A built-in that may take long, called by guests: not memory.grow or table.grow. */
static bool
is_bulk(const char *name)
{
	return (strncmp(name, "wasmtime_builtin_memory_", 24) == 0 ||
			strncmp(name, "wasmtime_builtin_table_", 23) == 0) &&
		strstr(name, "grow") == NULL;
}

bool
pgw_layout_find(const char *artifact, PgwLayout *layout)
{
	const Elf64_Shdr *text = find_section(artifact, ".text");
	const Elf64_Shdr *table = find_section(artifact, ".symtab");
	const Elf64_Sym *symbols;
	const char *names;
	size_t		count;
	uint64_t	page = (uint64_t) sysconf(_SC_PAGESIZE);
	uint64_t	start = UINT64_MAX;
	uint64_t	end = 0;

	if (text == NULL || table == NULL)
		return false;
	symbols = (const Elf64_Sym *) (artifact + table->sh_offset);
	names = artifact + sections_of(artifact)[table->sh_link].sh_offset;
	count = table->sh_size / sizeof(Elf64_Sym);
	for (size_t i = 0; i < count; i++)
	{
		uint64_t	symbol_end = symbols[i].st_value + symbols[i].st_size;

		if (!is_body(names + symbols[i].st_name))
			continue;
		start = symbols[i].st_value < start ? symbols[i].st_value : start;
		end = symbol_end > end ? symbol_end : end;
	}
	for (size_t i = 0; i < count; i++)
	{
		const char *name = names + symbols[i].st_name;
		uint64_t	symbol_start = symbols[i].st_value;
		uint64_t	symbol_end = symbol_start + symbols[i].st_size;

		if (symbol_start == symbol_end || is_body(name))
			continue;
		if (symbol_start < end && symbol_end > start)
			return false;
		if (is_bulk(name) && (text->sh_offset + symbol_start) / page <= (text->sh_offset + end) / page &&
			(text->sh_offset + symbol_end) / page >= (text->sh_offset + start) / page)
			return false;
	}
	layout->bodies_start = start < end ? text->sh_offset + start : 0;
	layout->bodies_end = start < end ? text->sh_offset + end : 0;
	return true;
}
