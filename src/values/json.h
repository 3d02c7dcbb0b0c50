/*
 * json.h
 *		Values of any WIT type as jsonb.
 *
 *	bool						true, false
 *	integers, floats			number; "NaN", "Infinity", "-Infinity"
 *	char, string, enum			string
 *	list, tuple					array
 *	flags						array of the names of those that are set
 *	record						object, with the names of WIT
 *	option						the value, or null; where that is an option too,
 *								{"some": value}, or null
 *	result						{"ok": value}, {"err": value}; null for none
 *	variant						{"case": value}, or "case" where it has none
 */
#ifndef PGW_JSON_H
#define PGW_JSON_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "values/canon.h"

/* Throw as pgw_lower() and pgw_lift() do, and 22023 for JSON of another form. */
extern void pgw_json_lower(const PgwWit *wit, Jsonb *json, PgwCanon *canon, PgwPlace place);
extern Jsonb *pgw_json_lift(const PgwWit *wit, PgwCanon *canon, PgwPlace place);

/* What is common to these and to other values */
extern void pgw_put_case(const PgwWit *wit, int n, PgwCanon *canon, PgwPlace place);
extern void pgw_put_label(const PgwWit *wit, const char *label, size_t length, PgwCanon *canon, PgwPlace place);
extern void pgw_set_flag(const PgwWit *wit, const char *name, size_t length, uint32 *words);
extern void pgw_put_flags(const PgwWit *wit, const uint32 *words, PgwCanon *canon, PgwPlace place);
extern uint32 pgw_get_case(const PgwWit *wit, PgwCanon *canon, PgwPlace place);
extern uint32 *pgw_get_flags(const PgwWit *wit, PgwCanon *canon, PgwPlace place);
extern const char *pgw_text_to_utf8(const char *text, size_t *length);
extern char *pgw_text_from_utf8(const char *text, uint32 *length);
extern char *pgw_char_text(PgwCanon *canon, PgwPlace place);

/* The elements of a list, so many, which may be none that take memory. */
extern uint32 pgw_get_list(const PgwWit *wit, PgwCanon *canon, PgwPlace place, uint32 *address);

#endif							/* PGW_JSON_H */
