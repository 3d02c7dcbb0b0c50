/*
 * wasi.h
 *		WASI, preview 1, for guests that are denied everything.
 */
#ifndef PGW_WASI_H
#define PGW_WASI_H

#include "postgres.h"

#include "host/host.h"

extern const PgwHostModule pgw_wasi_module;

#endif							/* PGW_WASI_H */
