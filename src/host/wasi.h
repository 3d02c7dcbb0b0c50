/*
 * wasi.h
 *		WASI, preview 1, for core modules.
 */
#ifndef PGW_WASI_H
#define PGW_WASI_H

#include "postgres.h"

#include "host/host.h"

/* Two parts of one module: files, and the rest */
extern const PgwHostModule pgw_wasi_files_module;
extern const PgwHostModule pgw_wasi_module;

#endif							/* PGW_WASI_H */
