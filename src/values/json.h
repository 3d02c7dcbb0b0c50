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

/* The same for messages: a character that the database's encoding does not have is "?". */
extern Jsonb *pgw_json_lift_message(const PgwWit *wit, PgwCanon *canon, PgwPlace place);

#endif							/* PGW_JSON_H */
