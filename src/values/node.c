/*
 * node.c
 *		How values of an SQL type cross the border as values of a WIT type: the
 *		tree, and WIT types for SQL types.
 */
#include "postgres.h"

#include "values/node.h"

#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

char *
pgw_snake_case(const char *name)
{
	char	   *result = pstrdup(name);

	for (char *c = result; *c != '\0'; c++)
	{
		if (*c == '-')
			*c = '_';
		else
			*c = pg_ascii_tolower(*c);
	}
	return result;
}

static bool
is_number(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID;
}

/*
 * Not numbers and truth values: they have types of their own, and a function
 * declared with another one is more likely a mistake.
 */
static bool
is_string(Oid base)
{
	switch (base)
	{
		case BOOLOID:
		case CHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case FLOAT4OID:
		case FLOAT8OID:
			return false;
	}
	switch (get_typtype(base))
	{
		case TYPTYPE_BASE:
		case TYPTYPE_ENUM:
		case TYPTYPE_RANGE:
		case TYPTYPE_MULTIRANGE:
			return !OidIsValid(get_element_type(base));
		default:
			return false;
	}
}

static PgwNode *
new_node(PgwForm form, Oid type, int32 typmod, const PgwWit *wit)
{
	PgwNode    *node = palloc0(sizeof(PgwNode));

	node->form = form;
	node->wit = wit;
	node->type = type;
	node->base = getBaseType(type);
	node->context = CurrentMemoryContext;
	pgw_constraint_make(&node->constraint, type, typmod);
	node->is_constrained = OidIsValid(node->constraint.domain) || node->constraint.typmod >= 0;
	return node;
}

/* Is it the same number, with the bytes in the guest's order? */
static bool
has_same_bytes(Oid element, PgwWitKind kind)
{
#ifdef WORDS_BIGENDIAN
	return false;
#else
	return (element == INT2OID && kind == PGW_WIT_S16) || (element == INT4OID && kind == PGW_WIT_S32) ||
		(element == INT8OID && kind == PGW_WIT_S64) || (element == FLOAT4OID && kind == PGW_WIT_F32) ||
		(element == FLOAT8OID && kind == PGW_WIT_F64);
#endif
}

static PgwNode *
make_number(Oid type, int32 typmod, const PgwWit *wit)
{
	Oid			base = getBaseType(type);

	if (has_same_bytes(base, wit->kind))
		return new_node(PGW_FORM_SAME, type, typmod, wit);
	switch (wit->kind)
	{
		case PGW_WIT_BOOL:
			if (base == BOOLOID)
				return new_node(PGW_FORM_BOOL, type, typmod, wit);
			return is_number(base) ? new_node(PGW_FORM_INTEGER, type, typmod, wit) : NULL;
		case PGW_WIT_F32:
		case PGW_WIT_F64:
			return is_number(base) || base == FLOAT4OID || base == FLOAT8OID ?
				new_node(PGW_FORM_FLOAT, type, typmod, wit) : NULL;
		default:
			return is_number(base) || base == OIDOID || base == XID8OID ?
				new_node(PGW_FORM_INTEGER, type, typmod, wit) : NULL;
	}
}

static void
plan_text(PgwNode *node)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(node->type, &function, &is_varlena);
	fmgr_info(function, &node->output);
	getTypeInputInfo(node->base, &function, &node->input_param);
	fmgr_info(function, &node->input);
}

static PgwNode *
make_string(Oid type, int32 typmod, const PgwWit *wit)
{
	Oid			base = getBaseType(type);
	PgwNode    *node;

	if (base == TEXTOID || base == VARCHAROID)
		return new_node(PGW_FORM_TEXT, type, typmod, wit);
	if (!is_string(base))
		return NULL;
	node = new_node(PGW_FORM_OTHER, type, typmod, wit);
	plan_text(node);
	return node;
}

static PgwNode *
make_char(Oid type, int32 typmod, const PgwWit *wit)
{
	Oid			base = getBaseType(type);

	if (base != TEXTOID && base != VARCHAROID && base != BPCHAROID && base != CHAROID)
		return NULL;
	return new_node(PGW_FORM_CHAR, type, typmod, wit);
}

/* Has the SQL type a label for each name?  It may have others, which are no values. */
static bool
has_labels(Oid type, const PgwWit *wit)
{
	for (int i = 0; i < wit->nmembers; i++)
	{
		if (!SearchSysCacheExists2(ENUMTYPOIDNAME, ObjectIdGetDatum(type), CStringGetDatum(wit->members[i].name)))
			return false;
	}
	return true;
}

static PgwNode *
make_label(Oid type, int32 typmod, const PgwWit *wit)
{
	Oid			base = getBaseType(type);
	PgwNode    *node;

	if (base != TEXTOID && base != VARCHAROID && (get_typtype(base) != TYPTYPE_ENUM || !has_labels(base, wit)))
		return NULL;
	node = new_node(PGW_FORM_LABEL, type, typmod, wit);
	plan_text(node);
	return node;
}

static PgwNode **
one_child(PgwNode *child)
{
	PgwNode   **children = palloc(sizeof(PgwNode *));

	children[0] = child;
	return children;
}

static PgwNode *
make_list(Oid type, int32 typmod, const PgwWit *wit, List **relations)
{
	int32		element_typmod = typmod;
	Oid			base = getBaseTypeAndTypmod(type, &element_typmod);
	Oid			element = get_element_type(base);
	const PgwWit *element_wit = wit->members[0].type;
	PgwNode    *child;
	PgwNode    *node;

	if (base == BYTEAOID)
		return element_wit->kind == PGW_WIT_U8 ? new_node(PGW_FORM_BYTES, type, typmod, wit) : NULL;
	/* not int2vector */
	if (!OidIsValid(element) || get_array_type(element) != base)
		return NULL;
	child = pgw_node_make(element, element_typmod, element_wit, relations);
	if (child == NULL)
		return NULL;
	node = new_node(has_same_bytes(element, element_wit->kind) ? PGW_FORM_NUMBERS : PGW_FORM_ARRAY,
					type, typmod, wit);
	node->element_type = element;
	get_typlenbyvalalign(element, &node->element_length, &node->element_by_value, &node->element_alignment);
	node->children = one_child(child);
	return node;
}

/* The column for a field, by its name, or of a tuple by its number; or -1. */
static int
find_column(TupleDesc row, const PgwWit *wit, int member)
{
	char	   *name = wit->kind == PGW_WIT_RECORD ? pgw_snake_case(wit->members[member].name) : NULL;
	int			n = 0;

	for (int i = 0; i < row->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(row, i);

		if (column->attisdropped)
			continue;
		if (name != NULL ? strcmp(NameStr(column->attname), name) == 0 : n == member)
			return i;
		n++;
	}
	return -1;
}

static int
count_columns(TupleDesc row)
{
	int			count = 0;

	for (int i = 0; i < row->natts; i++)
		count += !TupleDescAttr(row, i)->attisdropped;
	return count;
}

static PgwNode *
make_row(TupleDesc row, Oid type, const PgwWit *wit, List **relations)
{
	PgwNode    *node;

	if (wit->kind != PGW_WIT_RECORD && wit->kind != PGW_WIT_TUPLE)
		return NULL;
	if (count_columns(row) != wit->nmembers)
		return NULL;
	node = new_node(PGW_FORM_ROW, type, -1, wit);
	node->children = palloc(Max(wit->nmembers, 1) * sizeof(PgwNode *));
	node->columns = palloc(Max(wit->nmembers, 1) * sizeof(int));
	for (int i = 0; i < wit->nmembers; i++)
	{
		int			column = find_column(row, wit, i);

		if (column < 0)
			return NULL;
		node->columns[i] = column;
		node->children[i] = pgw_node_make(TupleDescAttr(row, column)->atttypid, TupleDescAttr(row, column)->atttypmod,
								 wit->members[i].type, relations);
		if (node->children[i] == NULL)
			return NULL;
	}
	node->row = BlessTupleDesc(CreateTupleDescCopy(row));
	return node;
}

static PgwNode *
make_composite(Oid type, const PgwWit *wit, List **relations)
{
	Oid			base = getBaseType(type);
	TupleDesc	row;
	PgwNode    *node;

	if (get_typtype(base) != TYPTYPE_COMPOSITE)
		return NULL;
	*relations = list_append_unique_oid(*relations, get_typ_typrelid(base));
	row = lookup_rowtype_tupdesc_copy(base, -1);
	node = make_row(row, type, wit, relations);
	FreeTupleDesc(row);
	return node;
}

/* A value, or NULL; what is behind the option must not take NULL for itself. */
static PgwNode *
make_option(Oid type, int32 typmod, const PgwWit *wit, List **relations)
{
	PgwNode    *child = pgw_node_make(type, typmod, wit->members[0].type, relations);
	PgwNode    *node;

	if (child == NULL || child->form == PGW_FORM_OPTION)
		return NULL;
	node = new_node(PGW_FORM_OPTION, type, typmod, wit);
	node->children = one_child(child);
	return node;
}

/* What a function returns; row is NULL unless that is one. */
static PgwNode *
make_value(Oid type, TupleDesc row, const PgwWit *wit, List **relations)
{
	PgwNode    *child;
	PgwNode    *node;

	if (row == NULL)
		return pgw_node_make(type, -1, wit, relations);
	if (wit->kind != PGW_WIT_OPTION)
		return make_row(row, type, wit, relations);
	child = make_row(row, type, wit->members[0].type, relations);
	if (child == NULL)
		return NULL;
	node = new_node(PGW_FORM_OPTION, type, -1, wit);
	node->children = one_child(child);
	node->row = child->row;
	return node;
}

/* A value where it is ok, an error where it is not; without a value it is void. */
static PgwNode *
make_result(Oid type, TupleDesc row, const PgwWit *wit, List **relations)
{
	const PgwWit *ok = wit->members[0].type;
	PgwNode    *child = NULL;
	PgwNode    *node;

	if (ok == NULL && type != VOIDOID)
		return NULL;
	if (ok != NULL && (child = make_value(type, row, ok, relations)) == NULL)
		return NULL;
	node = new_node(PGW_FORM_RESULT, type, -1, wit);
	node->is_constrained = false;
	node->children = one_child(child);
	node->row = child != NULL ? child->row : NULL;
	return node;
}

/* The column for a case without a value is true in that case. */
static PgwNode *
make_outcome(Oid type, TupleDesc row, const PgwWit *wit, List **relations)
{
	static const char *const columns[] = {"ok", "err"};
	PgwNode    *node;

	if (row->natts != lengthof(columns))
		return NULL;
	node = new_node(PGW_FORM_OUTCOME, type, -1, wit);
	node->children = palloc0(lengthof(columns) * sizeof(PgwNode *));
	for (int i = 0; i < lengthof(columns); i++)
	{
		Form_pg_attribute column = TupleDescAttr(row, i);
		const PgwWit *value = wit->members[i].type;

		if (column->attisdropped || strcmp(NameStr(column->attname), columns[i]) != 0)
			return NULL;
		if (value != NULL)
			node->children[i] = pgw_node_make(column->atttypid, column->atttypmod, value, relations);
		if (value != NULL ? node->children[i] == NULL : column->atttypid != BOOLOID)
			return NULL;
	}
	node->row = BlessTupleDesc(CreateTupleDescCopy(row));
	return node;
}

static PgwNode *
make_flags(Oid type, int32 typmod, const PgwWit *wit)
{
	Oid			base = getBaseType(type);

	if (base == TEXTARRAYOID)
		return new_node(PGW_FORM_FLAGS, type, typmod, wit);
	if (base == INT8OID)
		return new_node(PGW_FORM_MASK, type, typmod, wit);
	return NULL;
}

PgwNode *
pgw_node_make(Oid type, int32 typmod, const PgwWit *wit, List **relations)
{
	check_stack_depth();
	if (pgw_wit_has_resources(wit))
		return NULL;
	/* of a string, jsonb takes the text itself */
	if (getBaseType(type) == JSONBOID && wit->kind != PGW_WIT_STRING)
		return new_node(PGW_FORM_JSON, type, typmod, wit);
	switch (wit->kind)
	{
		case PGW_WIT_CHAR:
			return make_char(type, typmod, wit);
		case PGW_WIT_STRING:
			return make_string(type, typmod, wit);
		case PGW_WIT_LIST:
			return make_list(type, typmod, wit, relations);
		case PGW_WIT_OPTION:
			return make_option(type, typmod, wit, relations);
		case PGW_WIT_TUPLE:
		case PGW_WIT_RECORD:
			return make_composite(type, wit, relations);
		case PGW_WIT_ENUM:
			return make_label(type, typmod, wit);
		case PGW_WIT_FLAGS:
			return make_flags(type, typmod, wit);
		case PGW_WIT_RESULT:
		case PGW_WIT_VARIANT:
		case PGW_WIT_MAP:
		case PGW_WIT_OWN:
		case PGW_WIT_BORROW:
		case PGW_WIT_OTHER:
			return NULL;
		default:
			return make_number(type, typmod, wit);
	}
}

PgwNode *
pgw_node_make_result(Oid type, TupleDesc row, const PgwWit *wit, List **relations)
{
	PgwNode    *node;

	if (pgw_wit_has_resources(wit))
		return NULL;
	if (wit->kind != PGW_WIT_RESULT)
		return make_value(type, row, wit, relations);
	node = make_result(type, row, wit, relations);
	if (node == NULL && row != NULL)
		node = make_outcome(type, row, wit, relations);
	return node;
}

/* --- WIT types for SQL types --- */

const PgwWit *
pgw_node_wit_of_row(TupleDesc row)
{
	PgwWitMember *members = palloc0(Max(row->natts, 1) * sizeof(PgwWitMember));
	int			n = 0;

	for (int i = 0; i < row->natts; i++)
	{
		if (TupleDescAttr(row, i)->attisdropped)
			continue;
		members[n].type = pgw_node_wit(TupleDescAttr(row, i)->atttypid);
		if (members[n].type == NULL)
			return NULL;
		n++;
	}
	/* a tuple: the names are those of SQL, whatever they are */
	return pgw_wit_make(PGW_WIT_TUPLE, NULL, n, members);
}

const PgwWit *
pgw_node_wit(Oid type)
{
	Oid			base = getBaseType(type);
	Oid			element = get_element_type(base);
	const PgwWit *wit;

	check_stack_depth();
	switch (base)
	{
		case BOOLOID:
			return pgw_wit_scalar(PGW_WIT_BOOL);
		case INT2OID:
			return pgw_wit_scalar(PGW_WIT_S16);
		case INT4OID:
			return pgw_wit_scalar(PGW_WIT_S32);
		case INT8OID:
			return pgw_wit_scalar(PGW_WIT_S64);
		case FLOAT4OID:
			return pgw_wit_scalar(PGW_WIT_F32);
		case FLOAT8OID:
			return pgw_wit_scalar(PGW_WIT_F64);
		case BYTEAOID:
			return pgw_wit_list(pgw_wit_scalar(PGW_WIT_U8));
	}
	if (OidIsValid(element) && get_array_type(element) == base)
	{
		wit = pgw_node_wit(element);
		return wit != NULL ? pgw_wit_list(wit) : NULL;
	}
	if (get_typtype(base) == TYPTYPE_COMPOSITE)
		return pgw_node_wit_of_row(lookup_rowtype_tupdesc_copy(base, -1));
	return is_string(base) ? pgw_wit_scalar(PGW_WIT_STRING) : NULL;
}
