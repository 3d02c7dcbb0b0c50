/*
 * wit.c
 *		Types of the component model, and how their values lie in a guest.
 */
#include "postgres.h"

#include "engine/wit.h"

#include <limits.h>

#include "engine/encoding.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

/* --- the canonical ABI --- */

/* Sizes, which are the alignments too, and flat types; indexed by kind */
static const struct
{
	uint8		size;
	char		flat;
}			scalars[] = {
	[PGW_WIT_BOOL] = {1, 'i'},
	[PGW_WIT_S8] = {1, 'i'},
	[PGW_WIT_U8] = {1, 'i'},
	[PGW_WIT_S16] = {2, 'i'},
	[PGW_WIT_U16] = {2, 'i'},
	[PGW_WIT_S32] = {4, 'i'},
	[PGW_WIT_U32] = {4, 'i'},
	[PGW_WIT_S64] = {8, 'I'},
	[PGW_WIT_U64] = {8, 'I'},
	[PGW_WIT_F32] = {4, 'f'},
	[PGW_WIT_F64] = {8, 'F'},
	[PGW_WIT_CHAR] = {4, 'i'},
};

static uint32
aligned(uint32 offset, uint32 alignment)
{
	return (offset + alignment - 1) & ~(alignment - 1);
}

static void
add_flat(PgwWit *type, char flat)
{
	if (type->nflat < PGW_FLAT_MAX)
		type->flat[type->nflat++] = flat;
	else
		type->nflat = INT_MAX;
}

/* Fields follow each other. */
static void
lay_out_fields(PgwWit *type)
{
	type->alignment = 1;
	for (int i = 0; i < type->nmembers; i++)
	{
		PgwWitMember *field = &type->members[i];

		field->offset = aligned(type->size, field->type->alignment);
		field->flat = type->nflat;
		type->size = field->offset + field->type->size;
		type->alignment = Max(type->alignment, field->type->alignment);
		for (int j = 0; j < Min(field->type->nflat, PGW_FLAT_MAX); j++)
			add_flat(type, field->type->flat[j]);
		if (field->type->nflat == INT_MAX)
			type->nflat = INT_MAX;
	}
	type->size = aligned(type->size, type->alignment);
}

static char
joined(char a, char b)
{
	if (a == b)
		return a;
	return (a == 'i' && b == 'f') || (a == 'f' && b == 'i') ? 'i' : 'I';
}

/* The value of a case in the flat values that all cases share */
static void
join_flat(PgwWit *type, const PgwWit *value)
{
	if (value->nflat > PGW_FLAT_MAX - 1)
	{
		type->nflat = INT_MAX;
		return;
	}
	for (int i = 0; i < value->nflat; i++)
		type->flat[i + 1] = i + 1 < type->nflat ? joined(type->flat[i + 1], value->flat[i]) : value->flat[i];
	type->nflat = Max(type->nflat, value->nflat + 1);
}

/* A tag, and behind it the value of one of the cases */
static void
lay_out_cases(PgwWit *type, int ncases)
{
	type->tag_size = ncases <= 256 ? 1 : ncases <= 65536 ? 2 : 4;
	type->alignment = type->tag_size;
	type->flat[0] = 'i';
	type->nflat = 1;
	for (int i = 0; i < type->nmembers; i++)
	{
		const PgwWit *value = type->members[i].type;

		if (value == NULL)
			continue;
		type->alignment = Max(type->alignment, value->alignment);
		type->size = Max(type->size, value->size);
		if (type->nflat != INT_MAX)
			join_flat(type, value);
	}
	type->payload = aligned(type->tag_size, type->alignment);
	type->size = aligned(type->payload + type->size, type->alignment);
}

/* The engine takes no more than 32 of them. */
static void
lay_out_flags(PgwWit *type)
{
	type->size = type->alignment = type->nmembers <= 8 ? 1 : type->nmembers <= 16 ? 2 : 4;
	add_flat(type, 'i');
}

static void
lay_out(PgwWit *type)
{
	switch (type->kind)
	{
		case PGW_WIT_STRING:
		case PGW_WIT_LIST:
		case PGW_WIT_MAP:
			type->size = 8;
			type->alignment = 4;
			add_flat(type, 'i');
			add_flat(type, 'i');
			break;
		case PGW_WIT_TUPLE:
		case PGW_WIT_RECORD:
			lay_out_fields(type);
			break;
		case PGW_WIT_OPTION:
		case PGW_WIT_RESULT:
			lay_out_cases(type, 2);
			break;
		case PGW_WIT_VARIANT:
		case PGW_WIT_ENUM:
			lay_out_cases(type, type->nmembers);
			break;
		case PGW_WIT_FLAGS:
			lay_out_flags(type);
			break;
		case PGW_WIT_OWN:
		case PGW_WIT_BORROW:
		case PGW_WIT_OTHER:
			type->size = type->alignment = 4;
			add_flat(type, 'i');
			break;
		default:
			type->size = type->alignment = scalars[type->kind].size;
			add_flat(type, scalars[type->kind].flat);
			break;
	}
}

PgwWit *
pgw_wit_make(PgwWitKind kind, char *name, int nmembers, PgwWitMember *members)
{
	PgwWit	   *type = palloc0(sizeof(PgwWit));

	type->kind = kind;
	type->name = name;
	type->nmembers = nmembers;
	type->members = members;
	lay_out(type);
	return type;
}

const PgwWit *
pgw_wit_scalar(PgwWitKind kind)
{
	static PgwWit types[PGW_WIT_STRING + 1];
	PgwWit	   *type = &types[kind];

	Assert(kind <= PGW_WIT_STRING);
	if (type->size == 0)
	{
		type->kind = kind;
		lay_out(type);
	}
	return type;
}

int
pgw_wit_find(const PgwWit *type, const char *name, size_t length)
{
	for (int i = 0; i < type->nmembers; i++)
	{
		if (strlen(type->members[i].name) == length && memcmp(type->members[i].name, name, length) == 0)
			return i;
	}
	return -1;
}

bool
pgw_wit_has_pointers(const PgwWit *type)
{
	if (type->kind == PGW_WIT_STRING || type->kind == PGW_WIT_LIST || type->kind == PGW_WIT_MAP)
		return true;
	for (int i = 0; i < type->nmembers; i++)
	{
		if (type->members[i].type != NULL && pgw_wit_has_pointers(type->members[i].type))
			return true;
	}
	return false;
}

bool
pgw_wit_has_resources(const PgwWit *type)
{
	if (type->kind >= PGW_WIT_OWN)
		return true;
	for (int i = 0; i < type->nmembers; i++)
	{
		if (type->members[i].type != NULL && pgw_wit_has_resources(type->members[i].type))
			return true;
	}
	return false;
}

bool
pgw_wit_func_has_resources(const PgwWitFunc *func)
{
	return pgw_wit_has_resources(func->params) || (func->result != NULL && pgw_wit_has_resources(func->result));
}

/* --- text --- */

static void append_type(StringInfo text, const PgwWit *type);

static void
append_list(StringInfo text, const char *word, const PgwWit *type)
{
	appendStringInfo(text, "%s<", word);
	for (int i = 0; i < type->nmembers; i++)
	{
		if (i > 0)
			appendStringInfoString(text, ", ");
		append_type(text, type->members[i].type);
	}
	appendStringInfoChar(text, '>');
}

static void
append_result(StringInfo text, const PgwWit *type)
{
	const PgwWit *ok = type->members[0].type;
	const PgwWit *err = type->members[1].type;

	appendStringInfoString(text, "result");
	if (ok == NULL && err == NULL)
		return;
	appendStringInfoChar(text, '<');
	if (ok != NULL)
		append_type(text, ok);
	else
		appendStringInfoChar(text, '_');
	if (err != NULL)
	{
		appendStringInfoString(text, ", ");
		append_type(text, err);
	}
	appendStringInfoChar(text, '>');
}

/* A type with a name of its own; what is in it, where it has none */
static void
append_named(StringInfo text, const char *word, const PgwWit *type)
{
	if (type->name != NULL)
	{
		appendStringInfoString(text, type->name);
		return;
	}
	appendStringInfo(text, "%s { ", word);
	for (int i = 0; i < type->nmembers; i++)
	{
		const PgwWitMember *member = &type->members[i];

		appendStringInfo(text, "%s%s", i > 0 ? ", " : "", member->name);
		if (member->type == NULL)
			continue;
		appendStringInfoString(text, type->kind == PGW_WIT_RECORD ? ": " : "(");
		append_type(text, member->type);
		if (type->kind != PGW_WIT_RECORD)
			appendStringInfoChar(text, ')');
	}
	appendStringInfoString(text, " }");
}

static void
append_type(StringInfo text, const PgwWit *type)
{
	static const char *const words[] = {
		"bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string",
		"list", "option", "result", "tuple", "record", "variant", "enum", "flags", "map", "own", "borrow", "other"
	};

	check_stack_depth();
	switch (type->kind)
	{
		case PGW_WIT_LIST:
		case PGW_WIT_OPTION:
		case PGW_WIT_TUPLE:
			append_list(text, words[type->kind], type);
			break;
		case PGW_WIT_MAP:
			append_list(text, words[type->kind], type->members[0].type);
			break;
		case PGW_WIT_RESULT:
			append_result(text, type);
			break;
		case PGW_WIT_RECORD:
		case PGW_WIT_VARIANT:
		case PGW_WIT_ENUM:
		case PGW_WIT_FLAGS:
			append_named(text, words[type->kind], type);
			break;
		default:
			appendStringInfoString(text, words[type->kind]);
			break;
	}
}

char *
pgw_wit_text(const PgwWit *type)
{
	StringInfoData text;

	initStringInfo(&text);
	append_type(&text, type);
	return text.data;
}

char *
pgw_wit_definition_text(const PgwWit *type)
{
	PgwWit		nameless = *type;

	nameless.name = NULL;
	return pgw_wit_text(&nameless);
}

char *
pgw_wit_func_text(const PgwWitFunc *func)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%sfunc(", func->is_async ? "async " : "");
	for (int i = 0; i < func->params->nmembers; i++)
	{
		appendStringInfo(&text, "%s%s: ", i > 0 ? ", " : "", func->params->members[i].name);
		append_type(&text, func->params->members[i].type);
	}
	appendStringInfoChar(&text, ')');
	if (func->result != NULL)
	{
		appendStringInfoString(&text, " -> ");
		append_type(&text, func->result);
	}
	return text.data;
}

/* --- descriptions --- */

static const uint8_t *
advance(PgwWitReader *reader, size_t length)
{
	const uint8_t *at = reader->at;

	if (length > reader->end - reader->at)
		elog(ERROR, "the description of a WebAssembly component ends too early");
	reader->at += length;
	return at;
}

uint8
pgw_wit_read_byte(PgwWitReader *reader)
{
	return *advance(reader, 1);
}

uint32
pgw_wit_read_number(PgwWitReader *reader)
{
	const uint8_t *bytes = advance(reader, 4);

	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32) bytes[3] << 24;
}

PgwText
pgw_wit_read_string(PgwWitReader *reader)
{
	size_t		length = pgw_wit_read_number(reader);

	return (PgwText) {(const char *) advance(reader, length), length};
}

static char *
read_name(PgwWitReader *reader)
{
	PgwText		name = pgw_wit_read_string(reader);

	return name.length > 0 ? pgw_from_utf8_lossy(name.bytes, name.length) : NULL;
}

static const PgwWit *
read_optional(PgwWitReader *reader)
{
	return pgw_wit_read_byte(reader) != 0 ? pgw_wit_read_type(reader) : NULL;
}

/* So many members of that kind of type */
static PgwWitMember *
read_members(PgwWitReader *reader, PgwWitKind kind, int count)
{
	PgwWitMember *members = palloc0(Max(count, 1) * sizeof(PgwWitMember));

	for (int i = 0; i < count; i++)
	{
		if (kind == PGW_WIT_RECORD || kind == PGW_WIT_VARIANT || kind == PGW_WIT_ENUM || kind == PGW_WIT_FLAGS)
			members[i].name = read_name(reader);
		if (kind == PGW_WIT_RESULT || kind == PGW_WIT_VARIANT)
			members[i].type = read_optional(reader);
		else if (kind != PGW_WIT_ENUM && kind != PGW_WIT_FLAGS)
			members[i].type = pgw_wit_read_type(reader);
	}
	return members;
}

/* Key and value */
static PgwWitMember *
read_entry(PgwWitReader *reader)
{
	PgwWitMember *entry = palloc0(sizeof(PgwWitMember));

	entry->type = pgw_wit_make(PGW_WIT_TUPLE, NULL, 2, read_members(reader, PGW_WIT_TUPLE, 2));
	return entry;
}

const PgwWit *
pgw_wit_read_type(PgwWitReader *reader)
{
	PgwWitKind	kind = pgw_wit_read_byte(reader);
	char	   *name = NULL;
	int			count;

	check_stack_depth();
	if (kind <= PGW_WIT_STRING)
		return pgw_wit_scalar(kind);
	if (kind == PGW_WIT_MAP)
		return pgw_wit_make(kind, NULL, 1, read_entry(reader));
	switch (kind)
	{
		case PGW_WIT_LIST:
		case PGW_WIT_OPTION:
			count = 1;
			break;
		case PGW_WIT_RESULT:
			count = 2;
			break;
		case PGW_WIT_TUPLE:
			count = pgw_wit_read_number(reader);
			break;
		case PGW_WIT_RECORD:
		case PGW_WIT_VARIANT:
		case PGW_WIT_ENUM:
		case PGW_WIT_FLAGS:
			name = read_name(reader);
			count = pgw_wit_read_number(reader);
			break;
		default:
			count = 0;
			break;
	}
	return pgw_wit_make(kind, name, count, read_members(reader, kind, count));
}

PgwWitFunc *
pgw_wit_read_func(PgwWitReader *reader)
{
	PgwWitFunc *func = palloc0(sizeof(PgwWitFunc));
	int			count;

	func->is_async = pgw_wit_read_byte(reader) != 0;
	count = pgw_wit_read_number(reader);
	func->params = pgw_wit_make(PGW_WIT_RECORD, NULL, count, read_members(reader, PGW_WIT_RECORD, count));
	if (pgw_wit_read_number(reader) > 0)
		func->result = pgw_wit_read_type(reader);
	return func;
}
