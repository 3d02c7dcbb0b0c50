/*
 * functions.c
 *		The C side of the suite: the least that a function can cost.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;
