/*
 * extern.c
 *		What modules import and export.
 */
#include "postgres.h"

#include "engine/extern.h"

#include "engine/encoding.h"
#include "lib/stringinfo.h"

/* --- core modules --- */

static PgwValType
reference_of(const wasmtime_reftype_t *type)
{
	if (type->nullable && type->heaptype.kind == WASMTIME_HEAPTYPE_KIND_FUNC)
		return PGW_FUNCREF;
	if (type->nullable && type->heaptype.kind == WASMTIME_HEAPTYPE_KIND_EXTERN)
		return PGW_EXTERNREF;
	return PGW_REFERENCE;
}

/* wasm_valtype_kind() aborts on v128 and on most references. */
static PgwValType
valtype_of(const wasm_valtype_t *type)
{
	static const PgwValType numbers[] = {
		[WASMTIME_VALTYPE_KIND_I32] = PGW_I32,
		[WASMTIME_VALTYPE_KIND_I64] = PGW_I64,
		[WASMTIME_VALTYPE_KIND_F32] = PGW_F32,
		[WASMTIME_VALTYPE_KIND_F64] = PGW_F64,
		[WASMTIME_VALTYPE_KIND_V128] = PGW_V128,
	};
	wasmtime_valtype_t found;
	PgwValType	result;

	wasmtime_valtype_new(type, &found);
	if (found.kind == WASMTIME_VALTYPE_KIND_REF)
		result = reference_of(&found.reftype);
	else
		result = numbers[found.kind];
	wasmtime_valtype_delete(&found);
	return result;
}

static const char *
valtype_text(PgwValType type)
{
	static const char *const names[] = {
		"i32", "i64", "f32", "f64", "v128", "funcref", "externref", "ref"
	};

	return names[type];
}

static const char *
type_text(const wasm_valtype_t *type)
{
	return valtype_text(valtype_of(type));
}

static uint8 *
valtypes_of(const wasm_valtype_vec_t *types)
{
	uint8	   *copy = palloc(Max(types->size, 1));

	for (size_t i = 0; i < types->size; i++)
		copy[i] = valtype_of(types->data[i]);
	return copy;
}

char *
pgw_functype_text(const PgwFuncType *type)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "(func");
	for (int i = 0; i < type->nparams; i++)
		appendStringInfo(&text, "%s %s", i == 0 ? " (param" : "", valtype_text(type->params[i]));
	appendStringInfoString(&text, type->nparams > 0 ? ")" : "");
	for (int i = 0; i < type->nresults; i++)
		appendStringInfo(&text, "%s %s", i == 0 ? " (result" : "", valtype_text(type->results[i]));
	appendStringInfoString(&text, type->nresults > 0 ? "))" : ")");
	return text.data;
}

const char *
pgw_extern_type(const PgwExtern *entry)
{
	return entry->type != NULL ? entry->type : pgw_functype_text(&entry->func);
}

static char *
limits_text(const wasm_limits_t *limits)
{
	if (limits->max == wasm_limits_max_default)
		return psprintf("%u", limits->min);
	return psprintf("%u %u", limits->min, limits->max);
}

/* Fills in kind and type; what the engine owns stays its own. */
static void
describe(PgwExtern *entry, const wasm_externtype_t *type)
{
	switch (wasm_externtype_kind(type))
	{
		case WASM_EXTERN_FUNC:
			{
				const wasm_functype_t *func = wasm_externtype_as_functype_const(type);
				const wasm_valtype_vec_t *params = wasm_functype_params(func);
				const wasm_valtype_vec_t *results = wasm_functype_results(func);

				entry->kind = PGW_EXTERN_FUNCTION;
				entry->func.nparams = params->size;
				entry->func.nresults = results->size;
				entry->func.params = valtypes_of(params);
				entry->func.results = valtypes_of(results);
				break;
			}
		case WASM_EXTERN_GLOBAL:
			{
				const wasm_globaltype_t *global = wasm_externtype_as_globaltype_const(type);
				const char *content = type_text(wasm_globaltype_content(global));

				entry->kind = PGW_EXTERN_GLOBAL;
				entry->content = valtype_of(wasm_globaltype_content(global));
				entry->type = wasm_globaltype_mutability(global) == WASM_VAR ?
					psprintf("(global (mut %s))", content) : psprintf("(global %s)", content);
				break;
			}
		case WASM_EXTERN_TABLE:
			{
				const wasm_tabletype_t *table = wasm_externtype_as_tabletype_const(type);

				entry->kind = PGW_EXTERN_TABLE;
				entry->type = psprintf("(table %s %s)", limits_text(wasm_tabletype_limits(table)),
									   type_text(wasm_tabletype_element(table)));
				break;
			}
		case WASM_EXTERN_MEMORY:
			entry->kind = PGW_EXTERN_MEMORY;
			entry->type = psprintf("(memory %s)",
								   limits_text(wasm_memorytype_limits(wasm_externtype_as_memorytype_const(type))));
			break;
		default:
			entry->kind = PGW_EXTERN_OTHER;
			entry->type = pstrdup("");
			break;
	}
}

static void
set_name(PgwExtern *entry, const char *name, size_t length)
{
	entry->name = pgw_from_utf8(name, length);
	entry->raw_name = palloc(length + 1);
	memcpy(entry->raw_name, name, length);
	entry->raw_name[length] = '\0';
	entry->raw_length = length;
}

static int
core_exports(const wasmtime_module_t *module, PgwExtern **externs)
{
	wasm_exporttype_vec_t types;
	int			count;

	wasmtime_module_exports(module, &types);
	count = types.size;
	PG_TRY();
	{
		*externs = palloc0(Max(count, 1) * sizeof(PgwExtern));
		for (int i = 0; i < count; i++)
		{
			const wasm_name_t *name = wasm_exporttype_name(types.data[i]);

			set_name(&(*externs)[i], name->data, name->size);
			describe(&(*externs)[i], wasm_exporttype_type(types.data[i]));
		}
	}
	PG_FINALLY();
	{
		wasm_exporttype_vec_delete(&types);
	}
	PG_END_TRY();
	return count;
}

static int
core_imports(const wasmtime_module_t *module, PgwExtern **externs)
{
	wasm_importtype_vec_t types;
	int			count;

	wasmtime_module_imports(module, &types);
	count = types.size;
	PG_TRY();
	{
		*externs = palloc0(Max(count, 1) * sizeof(PgwExtern));
		for (int i = 0; i < count; i++)
		{
			const wasm_name_t *from = wasm_importtype_module(types.data[i]);
			const wasm_name_t *name = wasm_importtype_name(types.data[i]);

			(*externs)[i].from = pgw_from_utf8_lossy(from->data, from->size);
			set_name(&(*externs)[i], name->data, name->size);
			describe(&(*externs)[i], wasm_importtype_type(types.data[i]));
		}
	}
	PG_FINALLY();
	{
		wasm_importtype_vec_delete(&types);
	}
	PG_END_TRY();
	return count;
}

/* --- components --- */

/* "instance#name", or the name alone */
static void
set_inner_name(PgwExtern *entry, PgwText instance, PgwText name)
{
	char	   *whole;

	if (instance.length == 0)
	{
		set_name(entry, name.bytes, name.length);
		return;
	}
	whole = psprintf("%.*s#%.*s", (int) instance.length, instance.bytes, (int) name.length, name.bytes);
	set_name(entry, whole, strlen(whole));
	entry->from_length = instance.length;
}

/* The next one of a description. */
static void
read_extern(PgwWitReader *reader, bool is_import, PgwExtern *entry)
{
	PgwText		from = pgw_wit_read_string(reader);
	PgwText		name = pgw_wit_read_string(reader);
	uint8		kind = pgw_wit_read_byte(reader);

	if (is_import)
	{
		entry->from = pgw_from_utf8_lossy(from.bytes, from.length);
		set_name(entry, name.bytes, name.length);
	}
	else
		set_inner_name(entry, from, name);
	entry->kind = PGW_EXTERN_OTHER;
	switch (kind)
	{
		case 'f':
			entry->kind = PGW_EXTERN_FUNCTION;
			entry->wit = pgw_wit_read_func(reader);
			entry->type = pgw_wit_func_text(entry->wit);
			break;
		case 't':
			entry->kind = PGW_EXTERN_TYPE;
			entry->type = pgw_wit_definition_text(pgw_wit_read_type(reader));
			break;
		case 'r':
			entry->kind = PGW_EXTERN_TYPE;
			entry->type = pstrdup("resource");
			break;
		default:
			entry->type = pstrdup("");
			break;
	}
}

static int
read_externs(PgwWitReader *reader, bool is_import, PgwExtern **externs)
{
	int			count = pgw_wit_read_number(reader);

	*externs = palloc0(Max(count, 1) * sizeof(PgwExtern));
	for (int i = 0; i < count; i++)
		read_extern(reader, is_import, &(*externs)[i]);
	return count;
}

/* The imports come first. */
static int
component_externs(const PgwComponent *component, bool imports, PgwExtern **externs)
{
	wasm_byte_vec_t description;
	PgwWitReader reader;
	int			count;

	if (!pgw_component_describe(component, &description))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the functions of a WebAssembly component have types that are too large")));
	reader.at = (const uint8_t *) description.data;
	reader.end = reader.at + description.size;
	PG_TRY();
	{
		count = read_externs(&reader, true, externs);
		if (!imports)
			count = read_externs(&reader, false, externs);
	}
	PG_FINALLY();
	{
		wasm_byte_vec_delete(&description);
	}
	PG_END_TRY();
	return count;
}

int
pgw_extern_exports(const PgwArtifact *artifact, PgwExtern **externs)
{
	if (artifact->component != NULL)
		return component_externs(artifact->component, false, externs);
	return core_exports(artifact->module, externs);
}

int
pgw_extern_imports(const PgwArtifact *artifact, PgwExtern **externs)
{
	if (artifact->component != NULL)
		return component_externs(artifact->component, true, externs);
	return core_imports(artifact->module, externs);
}
