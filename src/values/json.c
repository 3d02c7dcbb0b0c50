/*
 * json.c
 *		Values of any WIT type as jsonb.
 */
#include "postgres.h"

#include "values/json.h"

#include <math.h>

#include "engine/encoding.h"
#include "engine/interrupt.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "values/node.h"
#include "values/number.h"

/* --- from JSON --- */

static void from_json(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place);

static void pg_attribute_noreturn() pg_attribute_cold
refuse_form(const PgwWit *wit)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("JSON value does not fit the WebAssembly type %s", pgw_wit_text(wit))));
}

static const JsonbValue *
string_in(const PgwWit *wit, const JsonbValue *value)
{
	if (value->type != jbvString)
		refuse_form(wit);
	return value;
}

/* The container that the value is, with an array or with an object in it */
static JsonbContainer *
container_in(const PgwWit *wit, const JsonbValue *value, bool is_array)
{
	JsonbContainer *container = value->val.binary.data;

	if (value->type != jbvBinary ||
		(is_array ? !JsonContainerIsArray(container) : !JsonContainerIsObject(container)))
		refuse_form(wit);
	return container;
}

static void
lower_integer(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	int128_pgw	min;
	int128_pgw	max;
	int128_pgw	number;

	if (value->type != jbvNumeric)
		refuse_form(wit);
	pgw_integer_range(wit->kind, &min, &max);
	if (!pgw_integer_from_numeric(value->val.numeric, min, max, &number))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("JSON number %s is out of range for WebAssembly type %s",
						DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))),
						pgw_wit_text(wit))));
	pgw_canon_put(canon, place, wit->size, (uint64) number);
}

/* NaN and the infinities are strings. */
static void
lower_float(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	float8		number;
	float4		narrow;
	uint64		bits = 0;
	uint32		narrow_bits;

	if (value->type == jbvString)
		number = DatumGetFloat8(DirectFunctionCall1(float8in,
													CStringGetDatum(pnstrdup(value->val.string.val, value->val.string.len))));
	else if (value->type == jbvNumeric)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	else
		refuse_form(wit);
	if (wit->kind == PGW_WIT_F64)
		memcpy(&bits, &number, sizeof(bits));
	else
	{
		narrow = DatumGetFloat4(DirectFunctionCall1(dtof, Float8GetDatum(number)));
		memcpy(&narrow_bits, &narrow, sizeof(narrow_bits));
		bits = narrow_bits;
	}
	pgw_canon_put(canon, place, wit->size, bits);
}

static void
lower_char(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	size_t		length = string_in(wit, value)->val.string.len;
	const char *text = pgw_to_utf8(value->val.string.val, &length);

	if (length == 0 || length != pg_utf_mblen((const unsigned char *) text))
		refuse_form(wit);
	pgw_canon_put(canon, place, 4, utf8_to_unicode((const unsigned char *) text));
}

static void
lower_string(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	size_t		length = string_in(wit, value)->val.string.len;
	const char *text = pgw_to_utf8(value->val.string.val, &length);

	pgw_canon_put_string(canon, place, text, length);
}

static void
lower_list(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	JsonbContainer *array = container_in(wit, value, true);
	const PgwWit *element = wit->members[0].type;
	uint32		count = JsonContainerSize(array);
	uint32		address = pgw_canon_alloc_list(canon, place, count, element->size, element->alignment);
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbValue	member;
	JsonbIteratorToken token;
	uint32		i = 0;

	while ((token = JsonbIteratorNext(&iterator, &member, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_ELEM)
			from_json(element, &member, canon, (PgwPlace) {NULL, address + element->size * i++});
	}
}

/* A map with strings as keys is an object, another one a list of keys and values. */
static bool
is_object(const PgwWit *map)
{
	return map->members[0].type->members[0].type->kind == PGW_WIT_STRING;
}

static void
lower_map(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	const PgwWit *entry = wit->members[0].type;
	JsonbContainer *object;
	JsonbIterator *iterator;
	JsonbValue	member;
	JsonbIteratorToken token;
	PgwPlace	next = {NULL};

	if (!is_object(wit))
	{
		lower_list(wit, value, canon, place);
		return;
	}
	object = container_in(wit, value, false);
	next.address = pgw_canon_alloc_list(canon, place, JsonContainerSize(object), entry->size, entry->alignment);
	iterator = JsonbIteratorInit(object);
	while ((token = JsonbIteratorNext(&iterator, &member, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY || token == WJB_VALUE)
		{
			const PgwWitMember *part = &entry->members[token == WJB_VALUE];

			from_json(part->type, &member, canon, pgw_place_of_member(next, part));
		}
		if (token == WJB_VALUE)
			next.address += entry->size;
	}
}

static void
lower_tuple(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	JsonbContainer *array = container_in(wit, value, true);

	if (JsonContainerSize(array) != wit->nmembers)
		refuse_form(wit);
	for (int i = 0; i < wit->nmembers; i++)
		from_json(wit->members[i].type, getIthJsonbValueFromContainer(array, i), canon,
			  pgw_place_of_member(place, &wit->members[i]));
}

/* A field that is left out is null; one that does not exist is a mistake. */
static void
lower_record(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	JsonbContainer *object = container_in(wit, value, false);
	JsonbValue	null = {.type = jbvNull};
	uint32		found = 0;

	for (int i = 0; i < wit->nmembers; i++)
	{
		const PgwWitMember *member = &wit->members[i];
		JsonbValue *field = getKeyJsonValueFromContainer(object, member->name, strlen(member->name), NULL);

		found += field != NULL;
		if (field == NULL && member->type->kind != PGW_WIT_OPTION)
			refuse_form(wit);
		from_json(member->type, field != NULL ? field : &null, canon, pgw_place_of_member(place, member));
	}
	if (found != JsonContainerSize(object))
		refuse_form(wit);
}

/* The only member of an object: its name, and its value */
static void
only_member(const PgwWit *wit, const JsonbValue *value, JsonbValue *name, JsonbValue *member)
{
	JsonbContainer *object = container_in(wit, value, false);
	JsonbIterator *iterator = JsonbIteratorInit(object);

	if (JsonContainerSize(object) != 1)
		refuse_form(wit);
	(void) JsonbIteratorNext(&iterator, name, true);
	(void) JsonbIteratorNext(&iterator, name, true);
	(void) JsonbIteratorNext(&iterator, member, true);
}

static bool
is_named(const JsonbValue *name, const char *text)
{
	return name->val.string.len == strlen(text) && memcmp(name->val.string.val, text, name->val.string.len) == 0;
}

static void
lower_option(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	const PgwWit *content = wit->members[0].type;
	JsonbValue	name;
	JsonbValue	member;

	pgw_canon_put_case(wit, value->type != jbvNull, canon, place);
	if (value->type == jbvNull)
		return;
	if (content->kind == PGW_WIT_OPTION)
	{
		only_member(wit, value, &name, &member);
		if (!is_named(&name, "some"))
			refuse_form(wit);
		value = &member;
	}
	from_json(content, value, canon, pgw_place_of_payload(place, wit));
}

static void
lower_case(const PgwWit *wit, int n, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	const PgwWit *content = wit->members[n].type;

	pgw_canon_put_case(wit, n, canon, place);
	if (content != NULL && value != NULL)
		from_json(content, value, canon, pgw_place_of_payload(place, wit));
	else if (content != NULL || (value != NULL && value->type != jbvNull))
		refuse_form(wit);
}

static void
lower_result(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	JsonbValue	name;
	JsonbValue	member;

	only_member(wit, value, &name, &member);
	if (is_named(&name, "ok"))
		lower_case(wit, 0, &member, canon, place);
	else if (is_named(&name, "err"))
		lower_case(wit, 1, &member, canon, place);
	else
		refuse_form(wit);
}

static void
lower_variant(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	JsonbValue	name = *value;
	JsonbValue	member;
	bool		has_value = value->type != jbvString;
	int			n;

	if (has_value)
		only_member(wit, value, &name, &member);
	n = pgw_wit_find(wit, name.val.string.val, name.val.string.len);
	if (n < 0)
		refuse_form(wit);
	lower_case(wit, n, has_value ? &member : NULL, canon, place);
}

static void
lower_flags(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	JsonbContainer *array = container_in(wit, value, true);
	uint32		mask = 0;

	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		const JsonbValue *name = string_in(wit, getIthJsonbValueFromContainer(array, i));

		mask |= pgw_canon_flag(wit, name->val.string.val, name->val.string.len);
	}
	pgw_canon_put(canon, place, wit->size, mask);
}

static void
from_json(const PgwWit *wit, const JsonbValue *value, PgwCanon *canon, PgwPlace place)
{
	check_stack_depth();
	switch (wit->kind)
	{
		case PGW_WIT_BOOL:
			if (value->type != jbvBool)
				refuse_form(wit);
			pgw_canon_put(canon, place, 1, value->val.boolean);
			break;
		case PGW_WIT_F32:
		case PGW_WIT_F64:
			lower_float(wit, value, canon, place);
			break;
		case PGW_WIT_CHAR:
			lower_char(wit, value, canon, place);
			break;
		case PGW_WIT_STRING:
			lower_string(wit, value, canon, place);
			break;
		case PGW_WIT_LIST:
			lower_list(wit, value, canon, place);
			break;
		case PGW_WIT_MAP:
			lower_map(wit, value, canon, place);
			break;
		case PGW_WIT_OPTION:
			lower_option(wit, value, canon, place);
			break;
		case PGW_WIT_RESULT:
			lower_result(wit, value, canon, place);
			break;
		case PGW_WIT_TUPLE:
			lower_tuple(wit, value, canon, place);
			break;
		case PGW_WIT_RECORD:
			lower_record(wit, value, canon, place);
			break;
		case PGW_WIT_VARIANT:
			lower_variant(wit, value, canon, place);
			break;
		case PGW_WIT_ENUM:
			(void) string_in(wit, value);
			pgw_canon_put_label(wit, value->val.string.val, value->val.string.len, canon, place);
			break;
		case PGW_WIT_FLAGS:
			lower_flags(wit, value, canon, place);
			break;
		default:
			lower_integer(wit, value, canon, place);
			break;
	}
}

void
pgw_json_lower(const PgwWit *wit, Jsonb *json, PgwCanon *canon, PgwPlace place)
{
	JsonbValue	value = {.type = jbvBinary};

	if (JB_ROOT_IS_SCALAR(json))
		(void) JsonbExtractScalar(&json->root, &value);
	else
	{
		value.val.binary.data = &json->root;
		value.val.binary.len = VARSIZE(json) - VARHDRSZ;
	}
	from_json(wit, &value, canon, place);
}

/* --- to JSON --- */

/* What is being built: the state of the containers that are open, and the result */
typedef struct Builder
{
	JsonbParseState *state;
	JsonbValue *result;
	PgwCanon   *canon;
	bool		lossy;			/* what the database's encoding does not have
								 * becomes "?" */
} Builder;

static void lift(Builder *builder, const PgwWit *wit, PgwPlace place, JsonbIteratorToken token);

/* Adds a value to the open container; token says what it is there. */
static void
add(Builder *builder, JsonbIteratorToken token, JsonbValue *value)
{
	/* arrays grow to twice their size */
	pgw_canon_take(builder->canon, 2 * sizeof(JsonbValue));
	if (builder->state != NULL)
		builder->result = pushJsonbValue(&builder->state, token, value);
	else
	{
		builder->result = palloc(sizeof(JsonbValue));
		*builder->result = *value;
	}
}

static void
add_null(Builder *builder, JsonbIteratorToken token)
{
	JsonbValue	value = {.type = jbvNull};

	add(builder, token, &value);
}

/* Text in the database's encoding, which is kept. */
static void
add_text(Builder *builder, JsonbIteratorToken token, const char *text, uint32 length)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, text);
	value.val.string.len = length;
	add(builder, token, &value);
}

static void
add_number(Builder *builder, JsonbIteratorToken token, Numeric number)
{
	JsonbValue	value = {.type = jbvNumeric};

	value.val.numeric = number;
	add(builder, token, &value);
}

static void
open_or_close(Builder *builder, JsonbIteratorToken token)
{
	pgw_canon_take(builder->canon, 2 * sizeof(JsonbValue));
	builder->result = pushJsonbValue(&builder->state, token, NULL);
}

static void
lift_integer(Builder *builder, const PgwWit *wit, PgwPlace place, JsonbIteratorToken token)
{
	int128_pgw	number = pgw_get_integer(wit->kind, pgw_canon_get(builder->canon, place, wit->size));

	add_number(builder, token, number < 0 ? int64_to_numeric((int64) number) :
			   pgw_numeric_from_unsigned((uint128_pgw) number));
}

static void
lift_float(Builder *builder, const PgwWit *wit, PgwPlace place, JsonbIteratorToken token)
{
	float8		number = pgw_get_float(wit->kind, pgw_canon_get(builder->canon, place, wit->size));
	const char *name;

	if (isfinite(number))
	{
		add_number(builder, token, wit->kind == PGW_WIT_F32 ? pgw_numeric_from_float((float4) number) :
				   pgw_numeric_from_double(number));
		return;
	}
	name = isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity";
	add_text(builder, token, name, strlen(name));
}

/* Valid UTF-8 in the database's encoding: the same, or palloc'd */
static const char *
converted(Builder *builder, const char *text, uint32 *length)
{
	if (!builder->lossy)
		return pgw_from_valid_utf8(text, length);
	text = pgw_from_utf8_lossy(text, *length);
	*length = strlen(text);
	return text;
}

static void
lift_string(Builder *builder, PgwPlace place, JsonbIteratorToken token)
{
	uint32		length;
	const char *text = pgw_canon_get_string(builder->canon, place, &length);

	text = converted(builder, text, &length);
	/* the guest's memory is not to be kept */
	add_text(builder, token, pnstrdup(text, length), length);
}

static void
lift_char(Builder *builder, PgwPlace place, JsonbIteratorToken token)
{
	char	   *text = pgw_canon_get_char(builder->canon, place);
	uint32		length = strlen(text);
	const char *shown = converted(builder, text, &length);

	add_text(builder, token, shown, length);
}

static void
lift_list(Builder *builder, const PgwWit *wit, PgwPlace place)
{
	const PgwWit *element = wit->members[0].type;
	uint32		address;
	uint32		count = pgw_canon_get_list(wit, builder->canon, place, &address);

	open_or_close(builder, WJB_BEGIN_ARRAY);
	for (uint32 i = 0; i < count; i++)
	{
		pgw_interrupt_check();
		lift(builder, element, (PgwPlace) {NULL, address + i * element->size}, WJB_ELEM);
	}
	open_or_close(builder, WJB_END_ARRAY);
}

/* Of entries with the same key the last one counts. */
static void
lift_map(Builder *builder, const PgwWit *wit, PgwPlace place)
{
	const PgwWit *entry = wit->members[0].type;
	uint32		address;
	uint32		count;

	if (!is_object(wit))
	{
		lift_list(builder, wit, place);
		return;
	}
	count = pgw_canon_get_list(wit, builder->canon, place, &address);
	open_or_close(builder, WJB_BEGIN_OBJECT);
	for (uint32 i = 0; i < count; i++)
	{
		PgwPlace	at = {NULL, address + i * entry->size};

		pgw_interrupt_check();
		lift(builder, entry->members[0].type, pgw_place_of_member(at, &entry->members[0]), WJB_KEY);
		lift(builder, entry->members[1].type, pgw_place_of_member(at, &entry->members[1]), WJB_VALUE);
	}
	open_or_close(builder, WJB_END_OBJECT);
}

static void
lift_fields(Builder *builder, const PgwWit *wit, PgwPlace place)
{
	bool		has_names = wit->kind == PGW_WIT_RECORD;

	open_or_close(builder, has_names ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY);
	for (int i = 0; i < wit->nmembers; i++)
	{
		const PgwWitMember *member = &wit->members[i];

		if (has_names)
			add_text(builder, WJB_KEY, member->name, strlen(member->name));
		lift(builder, member->type, pgw_place_of_member(place, member), has_names ? WJB_VALUE : WJB_ELEM);
	}
	open_or_close(builder, has_names ? WJB_END_OBJECT : WJB_END_ARRAY);
}

/* {"name": value}, null where there is none */
static void
lift_named(Builder *builder, const char *name, const PgwWit *wit, PgwPlace place)
{
	open_or_close(builder, WJB_BEGIN_OBJECT);
	add_text(builder, WJB_KEY, name, strlen(name));
	if (wit != NULL)
		lift(builder, wit, place, WJB_VALUE);
	else
		add_null(builder, WJB_VALUE);
	open_or_close(builder, WJB_END_OBJECT);
}

static void
lift_case(Builder *builder, const PgwWit *wit, PgwPlace place, JsonbIteratorToken token)
{
	const PgwWitMember *member = &wit->members[pgw_canon_get_case(wit, builder->canon, place)];

	if (member->type == NULL)
		add_text(builder, token, member->name, strlen(member->name));
	else
		lift_named(builder, member->name, member->type, pgw_place_of_payload(place, wit));
}

static void
lift_result(Builder *builder, const PgwWit *wit, PgwPlace place)
{
	uint32		n = pgw_canon_get_case(wit, builder->canon, place);

	lift_named(builder, n == 0 ? "ok" : "err", wit->members[n].type, pgw_place_of_payload(place, wit));
}

static void
lift_option(Builder *builder, const PgwWit *wit, PgwPlace place, JsonbIteratorToken token)
{
	const PgwWit *content = wit->members[0].type;
	PgwPlace	payload = pgw_place_of_payload(place, wit);

	if (pgw_canon_get_case(wit, builder->canon, place) == 0)
		add_null(builder, token);
	else if (content->kind == PGW_WIT_OPTION)
		lift_named(builder, "some", content, payload);
	else
		lift(builder, content, payload, token);
}

static void
lift_flags(Builder *builder, const PgwWit *wit, PgwPlace place)
{
	uint32		mask = pgw_canon_get(builder->canon, place, wit->size);

	open_or_close(builder, WJB_BEGIN_ARRAY);
	for (int i = 0; i < wit->nmembers; i++)
	{
		if (mask & (UINT32_C(1) << i))
			add_text(builder, WJB_ELEM, wit->members[i].name, strlen(wit->members[i].name));
	}
	open_or_close(builder, WJB_END_ARRAY);
}

static void
lift(Builder *builder, const PgwWit *wit, PgwPlace place, JsonbIteratorToken token)
{
	JsonbValue	truth = {.type = jbvBool};

	check_stack_depth();
	switch (wit->kind)
	{
		case PGW_WIT_BOOL:
			truth.val.boolean = pgw_canon_get(builder->canon, place, 1) != 0;
			add(builder, token, &truth);
			break;
		case PGW_WIT_F32:
		case PGW_WIT_F64:
			lift_float(builder, wit, place, token);
			break;
		case PGW_WIT_CHAR:
			lift_char(builder, place, token);
			break;
		case PGW_WIT_STRING:
			lift_string(builder, place, token);
			break;
		case PGW_WIT_LIST:
			lift_list(builder, wit, place);
			break;
		case PGW_WIT_MAP:
			lift_map(builder, wit, place);
			break;
		case PGW_WIT_OPTION:
			lift_option(builder, wit, place, token);
			break;
		case PGW_WIT_RESULT:
			lift_result(builder, wit, place);
			break;
		case PGW_WIT_TUPLE:
		case PGW_WIT_RECORD:
			lift_fields(builder, wit, place);
			break;
		case PGW_WIT_VARIANT:
		case PGW_WIT_ENUM:
			lift_case(builder, wit, place, token);
			break;
		case PGW_WIT_FLAGS:
			lift_flags(builder, wit, place);
			break;
		default:
			lift_integer(builder, wit, place, token);
			break;
	}
}

static Jsonb *
build(const PgwWit *wit, PgwCanon *canon, PgwPlace place, bool lossy)
{
	Builder		builder = {.canon = canon,.lossy = lossy};

	lift(&builder, wit, place, WJB_ELEM);
	return JsonbValueToJsonb(builder.result);
}

Jsonb *
pgw_json_lift(const PgwWit *wit, PgwCanon *canon, PgwPlace place)
{
	return build(wit, canon, place, false);
}

Jsonb *
pgw_json_lift_message(const PgwWit *wit, PgwCanon *canon, PgwPlace place)
{
	return build(wit, canon, place, true);
}
