/*
 * encoding.h
 *		Guests and the engine speak UTF-8; the database may not.
 */
#ifndef PGW_ENCODING_H
#define PGW_ENCODING_H

#include "postgres.h"

/*
 * Text in UTF-8 in the database's encoding; palloc'd.  NULL when it is not
 * valid, has a zero byte, or cannot be converted.
 */
extern char *pgw_from_utf8(const char *text, size_t length);

/* The same for messages: a character that cannot be converted is shown as "?". */
extern char *pgw_from_utf8_lossy(const char *text, size_t length);

/*
 * Text in UTF-8, terminated, in the database's encoding; palloc'd.  Throws 22021
 * when it is not valid or has a zero byte, 22P05 when it cannot be converted, and
 * 54000 when it is too long.
 */
extern char *pgw_from_utf8_strict(const char *text, size_t length);

/*
 * Valid UTF-8 in the database's encoding: the same, or palloc'd.  Throws 22P05 when
 * it cannot be converted.
 */
extern char *pgw_from_valid_utf8(const char *text, uint32 *length);

/*
 * Text of the database in UTF-8: the same, or palloc'd.  Throws as the conversion
 * does; a database without an encoding may have text that is none.
 */
extern const char *pgw_to_utf8(const char *text, size_t *length);

/* The same for messages: what cannot be converted is shown as "?". */
extern const char *pgw_to_utf8_lossy(const char *text, size_t *length);

/*
 * A name that a guest chose, as a message shows it: of a bounded length, on one
 * line; palloc'd.  NULL is shown as "?".
 */
extern char *pgw_shown_name(const char *name);

#endif							/* PGW_ENCODING_H */
