/*
 * declare.c
 *		The SQL that declares functions for what a module exports, and the types
 *		that they need.
 */
#include "postgres.h"

#include "catalog/declare.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "values/node.h"
#include "values/value.h"

#define JSON "jsonb"

static const char *type_of(PgwDeclarer *declarer, const PgwWit *wit);

/* --- types --- */

static const char *
qualified(const PgwDeclarer *declarer, const char *name)
{
	if (declarer->schema == NULL)
		return quote_identifier(name);
	return quote_qualified_identifier(declarer->schema, name);
}

static bool
is_same_wit(const PgwWit *a, const PgwWit *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	check_stack_depth();
	if (a->kind != b->kind || a->nmembers != b->nmembers)
		return false;
	for (int i = 0; i < a->nmembers; i++)
	{
		if (a->members[i].name != NULL && strcmp(a->members[i].name, b->members[i].name) != 0)
			return false;
		if (!is_same_wit(a->members[i].type, b->members[i].type))
			return false;
	}
	return true;
}

/* The declaration of that type, or of that name; NULL when there is none. */
static PgwTypeDeclaration *
find_type(const PgwDeclarer *declarer, const PgwWit *wit, const char *name)
{
	ListCell   *cell;

	foreach(cell, declarer->types)
	{
		PgwTypeDeclaration *type = lfirst(cell);

		if (wit != NULL ? is_same_wit(type->wit, wit) : strcmp(type->name, name) == 0)
			return type;
	}
	return NULL;
}

/* The name of a tuple says what is in it, "tuple_s32_string". */
static char *
tuple_name(const PgwWit *wit)
{
	StringInfoData name;

	initStringInfo(&name);
	for (const char *c = pgw_wit_text(wit); *c != '\0'; c++)
	{
		if (isalnum((unsigned char) *c))
			appendStringInfoChar(&name, *c);
		else if (name.len > 0 && name.data[name.len - 1] != '_' && *c != '>')
			appendStringInfoChar(&name, '_');
	}
	return name.data;
}

/* A name that no other type of the module has; NULL when it would be too long. */
static char *
name_for(const PgwDeclarer *declarer, const PgwWit *wit)
{
	char	   *name = wit->kind == PGW_WIT_TUPLE ? tuple_name(wit) : pgw_snake_case(wit->name);
	char	   *free_name = name;

	for (int i = 2; find_type(declarer, NULL, free_name) != NULL; i++)
		free_name = psprintf("%s_%d", name, i);
	return strlen(free_name) < NAMEDATALEN ? free_name : NULL;
}

/* Declares a type, those of its fields before it; NULL when jsonb has to do. */
static const char *
declare(PgwDeclarer *declarer, const PgwWit *wit)
{
	PgwTypeDeclaration *type = find_type(declarer, wit, NULL);

	if (type != NULL)
		return qualified(declarer, type->name);
	if (wit->name == NULL && wit->kind != PGW_WIT_TUPLE)
		return NULL;
	for (int i = 0; wit->kind == PGW_WIT_ENUM && i < wit->nmembers; i++)
	{
		if (strlen(wit->members[i].name) >= NAMEDATALEN)
			return NULL;
	}
	type = palloc0(sizeof(PgwTypeDeclaration));
	type->wit = wit;
	for (int i = 0; wit->kind != PGW_WIT_ENUM && i < wit->nmembers; i++)
	{
		const char *column = wit->kind == PGW_WIT_RECORD ? pgw_snake_case(wit->members[i].name) :
			psprintf("f%d", i + 1);

		if (strlen(column) >= NAMEDATALEN)
			return NULL;
		type->columns = lappend(type->columns, unconstify(char *, column));
		type->column_types = lappend(type->column_types,
									 unconstify(char *, type_of(declarer, wit->members[i].type)));
	}
	type->name = name_for(declarer, wit);
	if (type->name == NULL)
		return NULL;
	declarer->types = lappend(declarer->types, type);
	return qualified(declarer, type->name);
}

/* Has the default type an array type that holds what a list of it has? */
static const char *
list_type(PgwDeclarer *declarer, const PgwWit *element)
{
	const char *type;

	if (element->kind == PGW_WIT_U8)
		return "bytea";
	if (element->kind == PGW_WIT_OPTION)
		element = element->members[0].type;
	if (element->kind == PGW_WIT_OPTION || element->kind == PGW_WIT_FLAGS ||
		(element->kind == PGW_WIT_LIST && element->members[0].type->kind != PGW_WIT_U8))
		return JSON;
	type = type_of(declarer, element);
	return strcmp(type, JSON) == 0 ? JSON : psprintf("%s[]", type);
}

static const char *
type_of(PgwDeclarer *declarer, const PgwWit *wit)
{
	static const char *const names[] = {
		"boolean", "smallint", "smallint", "smallint", "integer", "integer", "bigint", "bigint", "numeric",
		"real", "double precision", "text", "text"
	};
	const char *declared;

	check_stack_depth();
	switch (wit->kind)
	{
		case PGW_WIT_LIST:
			return list_type(declarer, wit->members[0].type);
		case PGW_WIT_OPTION:
			return wit->members[0].type->kind == PGW_WIT_OPTION ? JSON : type_of(declarer, wit->members[0].type);
		case PGW_WIT_TUPLE:
		case PGW_WIT_RECORD:
			declared = declare(declarer, wit);
			return declared != NULL ? declared : JSON;
		case PGW_WIT_ENUM:
			declared = declare(declarer, wit);
			return declared != NULL ? declared : "text";
		case PGW_WIT_FLAGS:
			return "text[]";
		case PGW_WIT_RESULT:
		case PGW_WIT_VARIANT:
		case PGW_WIT_MAP:
			return JSON;
		default:
			return names[wit->kind];
	}
}

char *
pgw_declare_type(const PgwDeclarer *declarer, const PgwTypeDeclaration *type)
{
	StringInfoData text;
	ListCell   *name;
	ListCell   *column_type;
	const char *separator = "";

	initStringInfo(&text);
	appendStringInfo(&text, "CREATE TYPE %s AS %s(", qualified(declarer, type->name),
					 type->wit->kind == PGW_WIT_ENUM ? "ENUM " : "");
	for (int i = 0; type->wit->kind == PGW_WIT_ENUM && i < type->wit->nmembers; i++, separator = ", ")
		appendStringInfo(&text, "%s%s", separator, quote_literal_cstr(type->wit->members[i].name));
	forboth(name, type->columns, column_type, type->column_types)
	{
		appendStringInfo(&text, "%s%s %s", separator, quote_identifier(lfirst(name)), (char *) lfirst(column_type));
		separator = ", ";
	}
	appendStringInfoString(&text, ");");
	return text.data;
}

/* --- names --- */

/* The function's own name, without the instance's; in snake case for a component */
static char *
own_name(const PgwExtern *export)
{
	if (export->wit == NULL)
		return pstrdup(export->name);
	return pgw_snake_case(export->name + (export->from_length > 0 ? export->from_length + 1 : 0));
}

/* "adder" of "docs:adder/adder@0.1.0" */
static char *
interface_name(const PgwExtern *export)
{
	char	   *name = pnstrdup(export->name, export->from_length);
	char	   *slash = strrchr(name, '/');

	if (slash != NULL)
		name = slash + 1;
	return pgw_snake_case(pnstrdup(name, strcspn(name, "@")));
}

/* "docs_adder_adder_0_1_0_add" */
static char *
whole_name(const PgwExtern *export)
{
	char	   *name = pgw_snake_case(export->name);

	for (char *c = name; *c != '\0'; c++)
	{
		if (!isalnum((unsigned char) *c))
			*c = '_';
	}
	return name;
}

/* Names of an export, each longer than the one before */
#define NAMES 3

static char *
nth_name(const PgwExtern *export, int n)
{
	if (n == 0 || export->from_length == 0)
		return own_name(export);
	return n == 1 ? psprintf("%s_%s", interface_name(export), own_name(export)) : whole_name(export);
}

/* How many exports have a name; of one that is too long for SQL, the beginning will do. */
typedef struct NameEntry
{
	char		name[2 * NAMEDATALEN];
	int			uses;
} NameEntry;

static HTAB *
count_names(const PgwCode *code, int n)
{
	HASHCTL		control = {.keysize = 2 * NAMEDATALEN,.entrysize = sizeof(NameEntry),.hcxt = CurrentMemoryContext};
	HTAB	   *names = hash_create("names of WebAssembly exports", code->nexports, &control,
									HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);

	for (int i = 0; i < code->nexports; i++)
	{
		const PgwExtern *export = &code->exports[i];
		char	   *name;
		NameEntry  *entry;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		if (export->kind != PGW_EXTERN_FUNCTION || export->name == NULL)
			continue;
		name = nth_name(export, n);
		entry = hash_search(names, name, HASH_ENTER, &found);
		entry->uses = found ? entry->uses + 1 : 1;
		pfree(name);
	}
	return names;
}

static bool
is_ambiguous(PgwDeclarer *declarer, const char *name, int n)
{
	const NameEntry *entry;

	if (declarer->names[n] == NULL)
		declarer->names[n] = count_names(declarer->code, n);
	entry = hash_search(declarer->names[n], name, HASH_FIND, NULL);
	return entry != NULL && entry->uses > 1;
}

char *
pgw_declare_name(PgwDeclarer *declarer, const PgwExtern *export)
{
	int			n = 0;

	if (export->name == NULL)
		return pstrdup(declarer->prefix);
	while (export->from_length > 0 && n < NAMES - 1 && is_ambiguous(declarer, nth_name(export, n), n))
		n++;
	return psprintf("%s%s", declarer->prefix, nth_name(export, n));
}

/* --- obstacles --- */

static const char *
component_obstacle(const PgwExtern *export)
{
	const PgwWitFunc *func = export->wit;

	if (func->is_async)
		return "it is asynchronous";
	if (export->name[export->from_length > 0 ? export->from_length + 1 : 0] == '[' ||
		pgw_wit_func_has_resources(func))
		return "no SQL type stands for its resources";
	if (func->params->nmembers > FUNC_MAX_ARGS)
		return "it has too many parameters";
	return NULL;
}

static const char *
core_obstacle(const PgwFuncType *type)
{
	if (type->nparams > FUNC_MAX_ARGS)
		return "it has too many parameters";
	for (int i = 0; i < type->nparams; i++)
	{
		if (!OidIsValid(pgw_default_type(type->params[i])))
			return "no SQL type stands for its parameters";
	}
	for (int i = 0; i < type->nresults; i++)
	{
		if (!OidIsValid(pgw_default_type(type->results[i])))
			return "no SQL type stands for its results";
	}
	return NULL;
}

const char *
pgw_declare_obstacle(PgwDeclarer *declarer, const PgwExtern *export, const char *name)
{
	if (export->name == NULL)
		return "its name cannot be written in the encoding of the database";
	if (*name == '\0')
		return "its name is empty";
	if (*export->name != '\0' && isspace((unsigned char) export->name[strlen(export->name) - 1]))
		return "its name ends in white space";
	if (strlen(name) >= NAMEDATALEN)
		return "the name of the function would be too long";
	return export->wit != NULL ? component_obstacle(export) : core_obstacle(&export->func);
}

/* --- functions --- */

/* What is to become of the value of a result, or of another one; NULL: nothing */
static const PgwWit *
value_of(const PgwWitFunc *func)
{
	const PgwWit *result = func->result;

	return result != NULL && result->kind == PGW_WIT_RESULT ? result->members[0].type : result;
}

/* Does it become OUT columns? */
static bool
has_columns(const PgwWit *value)
{
	return value->kind == PGW_WIT_TUPLE && value->nmembers > 1;
}

List *
pgw_declare_arguments(PgwDeclarer *declarer, const PgwExtern *export)
{
	const PgwFuncType *core = &export->func;
	List	   *types = NIL;

	for (int i = 0; export->wit != NULL && i < export->wit->params->nmembers; i++)
		types = lappend(types, unconstify(char *, type_of(declarer, export->wit->params->members[i].type)));
	for (int i = 0; export->wit == NULL && i < core->nparams; i++)
		types = lappend(types, format_type_be(pgw_default_type(core->params[i])));
	return types;
}

static void
append_arguments(StringInfo text, PgwDeclarer *declarer, const PgwExtern *export)
{
	ListCell   *type;
	int			n = 0;

	foreach(type, pgw_declare_arguments(declarer, export))
	{
		appendStringInfoString(text, n > 0 ? ", " : "");
		if (export->wit != NULL)
			appendStringInfo(text, "%s ", quote_identifier(pgw_snake_case(export->wit->params->members[n].name)));
		appendStringInfoString(text, lfirst(type));
		n++;
	}
}

/* The columns of a result that has several, behind the arguments */
static void
append_columns(StringInfo text, PgwDeclarer *declarer, const PgwExtern *export)
{
	const PgwFuncType *core = &export->func;
	const PgwWit *value = export->wit != NULL ? value_of(export->wit) : NULL;
	const char *separator = pgw_declare_arguments(declarer, export) != NIL ? ", " : "";

	for (int i = 0; export->wit == NULL && core->nresults > 1 && i < core->nresults; i++, separator = ", ")
		appendStringInfo(text, "%sOUT r%d %s", separator, i + 1, format_type_be(pgw_default_type(core->results[i])));
	for (int i = 0; value != NULL && has_columns(value) && i < value->nmembers; i++, separator = ", ")
		appendStringInfo(text, "%sOUT f%d %s", separator, i + 1, type_of(declarer, value->members[i].type));
}

/* NULL for one with columns */
static const char *
result_type(PgwDeclarer *declarer, const PgwExtern *export)
{
	const PgwFuncType *core = &export->func;
	const PgwWit *value;

	if (export->wit == NULL)
		return core->nresults == 0 ? "void" : core->nresults > 1 ? NULL :
			format_type_be(pgw_default_type(core->results[0]));
	value = value_of(export->wit);
	if (value == NULL)
		return "void";
	return has_columns(value) ? NULL : type_of(declarer, value);
}

static bool
takes_null(const PgwExtern *export)
{
	for (int i = 0; export->wit != NULL && i < export->wit->params->nmembers; i++)
	{
		if (export->wit->params->members[i].type->kind == PGW_WIT_OPTION)
			return true;
	}
	return false;
}

char *
pgw_declare_function(PgwDeclarer *declarer, const PgwExtern *export, const char *name,
					 const char *body, const PgwAttributes *attributes, bool replace)
{
	StringInfoData text;
	const char *result = result_type(declarer, export);

	initStringInfo(&text);
	appendStringInfo(&text, "CREATE %sFUNCTION %s(", replace ? "OR REPLACE " : "", qualified(declarer, name));
	append_arguments(&text, declarer, export);
	append_columns(&text, declarer, export);
	appendStringInfoChar(&text, ')');
	if (result != NULL)
		appendStringInfo(&text, " RETURNS %s", result);
	appendStringInfoString(&text, " LANGUAGE wasm");
	if (attributes != NULL)
		appendStringInfo(&text, " %s PARALLEL %s COST 1", attributes->volatility, attributes->parallel);
	if ((attributes == NULL || attributes->strict) && !takes_null(export))
		appendStringInfoString(&text, " STRICT");
	appendStringInfo(&text, " AS %s;", quote_literal_cstr(body));
	return text.data;
}
